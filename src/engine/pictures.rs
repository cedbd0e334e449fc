//! Pictures for the window, loaded on a thread of their own so that scoring never waits for a decoder.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use image::RgbImage;
use image::imageops::{self, FilterType};

use super::event::{Event, Picture};
use super::{Command, ImageId, Outbox};
use crate::benchmark::ImageRef;
use crate::evaluate;

/// Longest side of a small and of a large picture, pixels.
const THUMBNAIL: u32 = 96;
const LARGE: u32 = 768;

/// The images of all benchmarks at hand.
pub(super) type Images = Arc<Vec<Vec<ImageRef>>>;

#[derive(Default)]
struct Wanted {
    large: Option<ImageId>,
    small: VecDeque<ImageId>,
    images: Option<(u64, Images)>,
    quit: bool,
}

/// What is wanted; the newest list of thumbnails replaces the one before.
#[derive(Default)]
pub(super) struct Pictures {
    wanted: Mutex<Wanted>,
    arrived: Condvar,
}

impl Pictures {
    /// Takes over the pictures' commands; gives back any other.
    pub fn put(&self, command: Command) -> Option<Command> {
        let mut wanted = self.lock();
        match command {
            Command::ShowThumbnails(small) => wanted.small = small.into(),
            Command::ShowPicture(large) => wanted.large = Some(large),
            other => {
                wanted.quit |= other == Command::Quit;
                self.arrived.notify_one();
                return Some(other);
            }
        }
        self.arrived.notify_one();
        None
    }

    /// New data: its images, and the generation to stamp answers with. Wishes about earlier data are dropped.
    pub fn set_images(&self, generation: u64, images: Images) {
        *self.lock() = Wanted { images: Some((generation, images)), ..Wanted::default() };
    }

    /// The same data under a new generation.
    pub fn set_generation(&self, generation: u64) {
        if let Some((current, _)) = &mut self.lock().images {
            *current = generation;
        }
    }

    /// Serves until `Quit`.
    pub fn serve(&self, outbox: &Outbox) {
        while let Some((image, is_large, generation, images)) = self.next() {
            let Some(source) = images.get(image.benchmark).and_then(|of| of.get(image.image)) else { continue };
            let side = if is_large { LARGE } else { THUMBNAIL };
            outbox.send(match evaluate::load(source).map(|full| fit(full, side)) {
                Err(reason) => Event::PictureFailed { generation, image, reason },
                Ok(picture) if is_large => Event::PictureLoaded { generation, image, picture },
                Ok(picture) => Event::ThumbnailLoaded { generation, image, picture },
            });
        }
    }

    fn next(&self) -> Option<(ImageId, bool, u64, Images)> {
        let mut wanted = self.lock();
        loop {
            if wanted.quit {
                return None;
            }
            if let Some((generation, images)) = wanted.images.clone() {
                if let Some(image) = wanted.large.take() {
                    return Some((image, true, generation, images));
                }
                if let Some(image) = wanted.small.pop_front() {
                    return Some((image, false, generation, images));
                }
            }
            wanted = self.arrived.wait(wanted).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fit(image: RgbImage, side: u32) -> Picture {
    let longest = image.width().max(image.height());
    let image = if longest > side {
        let to = |n: u32| (u64::from(n) * u64::from(side) / u64::from(longest)).max(1) as u32;
        imageops::resize(&image, to(image.width()), to(image.height()), FilterType::Triangle)
    } else {
        image
    };
    Picture { width: image.width(), height: image.height(), rgb: Arc::new(image.into_raw()) }
}
