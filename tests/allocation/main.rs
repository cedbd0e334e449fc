//! What a checkpoint may allocate is bounded by its own size: a counting allocator watches hostile files being opened.
//!
//! In a binary of its own, because the allocator counts everything in the process; one test, for the same reason.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(unsafe_code, reason = "an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use clove::checkpoint::{Checkpoint, Options};
use clove::kernels::Activation;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; only numbers are kept beside it. A reallocation is by
// the trait's default an allocation, a copy and a release.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes held while a file is opened, and whether it was.
fn peak(bytes: &[u8]) -> (usize, bool) {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let opened = Checkpoint::from_bytes(Path::new("x"), bytes, Options { activation: Some(Activation::Gelu) });
    (PEAK.load(Relaxed) - before, opened.is_ok())
}

/// An archive of one pickle by the zip crate's own writer.
fn archive(pickle: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("a/data.pkl", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(pickle).unwrap();
    writer.finish().unwrap().into_inner()
}

fn many_entries(count: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for i in 0..count {
        writer.start_file(format!("{i}"), zip::write::SimpleFileOptions::default()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn hostile_files_allocate_little_more_than_their_size() {
    const MIB: usize = 1 << 20;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints");
    let whole = std::fs::read(root.join("alone/state_dict.pt")).unwrap();
    // Threads, tables and the like are made once.
    assert!(peak(&whole).1);
    let (used, opened) = peak(&whole);
    assert!(opened && used < 5 * whole.len(), "{used} bytes for a file of {}", whole.len());

    let big = 32 * MIB;
    let with = |start: &[u8], one: &[u8]| {
        let mut pickle = start.to_vec();
        pickle.extend(one.repeat(big / one.len()));
        archive(&pickle)
    };
    let mut header = (16 * MIB as u64).to_le_bytes().to_vec();
    header.extend(b"{\"a\":[".iter().chain(b"1,".repeat(8 * MIB).iter()).take(16 * MIB));
    let mut names = b"{".to_vec();
    for i in 0..200_000 {
        names.extend(format!("\"{i}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}},").bytes());
    }
    names.pop();
    names.push(b'}');
    let mut tensors = (names.len() as u64).to_le_bytes().to_vec();
    tensors.extend(names);
    for (what, file) in [
        ("nothing but None", with(b"\x80\x02", b"N")),
        ("nothing but lists", with(b"\x80\x02", b"]")),
        ("nothing but marks", with(b"\x80\x02", b"(")),
        ("nothing but memos", with(b"\x80\x04}", b"\x94")),
        ("memos far apart", with(b"\x80\x02}", b"r\xff\xff\xff\xffr\0\0\0\x01")),
        ("nothing but references", with(b"\x80\x02}q\0(", b"h\0")),
        ("calls", with(b"\x80\x02", b")q\0h\0R")),
        ("one long name", with(b"\x80\x02c", b"x")),
        ("entries of an archive", many_entries(60_000)),
        ("a header that is no header", header),
        ("tensors of nothing", tensors),
    ] {
        let (used, opened) = peak(&file);
        assert!(!opened, "{what}");
        assert!(used <= 16 * MIB + 8 * file.len(), "{what}: {} MiB for a file of {}", used / MIB, file.len() / MIB);
    }
}
