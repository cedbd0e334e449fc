//! Picks CPU, CUDA or Metal.

use candle_core::Device;

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// CUDA or Metal where this build has it and a device answers, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
    /// The Apple GPU.
    Metal,
}

/// What cannot be a device.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum DeviceError {
    /// Not a name.
    #[error("'{0}' is no device; choose auto, cpu, cuda or metal")]
    Name(String),
    /// The build lacks it.
    #[error("this build has no {name} support; build it with: cargo build --release --features {feature}")]
    NotBuilt { name: &'static str, feature: &'static str },
    /// The driver refused.
    #[error("{name} was asked for and is not available ({source}); --device cpu works everywhere")]
    Unavailable { name: &'static str, source: candle_core::Error },
}

impl std::str::FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            "metal" => Ok(Self::Metal),
            other => Err(DeviceError::Name(other.to_owned())),
        }
    }
}

/// Opens the device. Call it once, on the thread that will use it.
///
/// # Errors
/// A device that was asked for by name and is not there; `Auto` falls back to the CPU.
pub fn open(choice: DeviceChoice) -> Result<Device, DeviceError> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda => cuda(),
        DeviceChoice::Metal => metal(),
        DeviceChoice::Auto => Ok(cuda().or_else(|_| metal()).unwrap_or(Device::Cpu)),
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, DeviceError> {
    Device::new_cuda(0).map_err(|source| DeviceError::Unavailable { name: "CUDA", source })
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { name: "CUDA", feature: "cuda" })
}

#[cfg(feature = "metal")]
fn metal() -> Result<Device, DeviceError> {
    Device::new_metal(0).map_err(|source| DeviceError::Unavailable { name: "Metal", source })
}

#[cfg(not(feature = "metal"))]
fn metal() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { name: "Metal", feature: "metal" })
}

/// For people, such as "CPU, 2 threads".
pub fn describe(device: &Device) -> String {
    match device {
        Device::Cpu => format!("CPU, {} threads", rayon::current_num_threads()),
        Device::Cuda(_) => "CUDA GPU".into(),
        Device::Metal(_) => "Metal GPU".into(),
    }
}
