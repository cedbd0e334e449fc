//! What a hostile archive announces.

use super::super::archive::{End, Span, walk};
use super::*;

fn found(bytes: &[u8]) -> (Vec<(String, Span)>, End) {
    let folder = Folder::new();
    let path = folder.write("a.tar", bytes);
    let mut members = Vec::new();
    let end = walk(&path, |name, span| members.push((name.to_owned(), span)));
    (members, end)
}

fn header(name: &str, kind: ::tar::EntryType, size: &[u8]) -> Vec<u8> {
    let mut header = ::tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.as_old_mut().size[..size.len()].copy_from_slice(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn padded(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    data.resize(data.len().next_multiple_of(512), 0);
    data
}

/// Records with their lengths, which count themselves.
fn records(pairs: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = key.len() + value.len() + 3;
        let digits = if rest + 1 < 10 { 1 } else { 2 };
        format!("{} {key}={value}\n", rest + digits).into_bytes()
    };
    pairs.iter().flat_map(record).collect()
}

fn extended(records: &[u8], size: &[u8]) -> Vec<u8> {
    let announced = format!("{:o}\0", records.len());
    [
        header("x", ::tar::EntryType::XHeader, announced.as_bytes()),
        padded(records),
        header("short", ::tar::EntryType::Regular, size),
        padded(b"abc"),
        vec![0; 1024],
    ]
    .concat()
}

#[test]
fn pax_records_give_name_and_size() {
    let good = records(&[("mtime", "1700000000.25"), ("path", "a\nlongä.jpg"), ("size", "0000003")]);
    let (members, end) = found(&extended(&good, b"777\0"));
    assert!(matches!(end, End::Whole), "{end:?}");
    assert_eq!(members, [("a\nlongä.jpg".to_owned(), Span { offset: 1536, size: 3, cut: false })]);
    for bad in [&b"99999999999999999999 path=x\n"[..], b"5 a\n", b"path=x\n", b"12 path=x", b"\xff"] {
        let (members, end) = found(&extended(bad, b"3\0"));
        assert!(members.is_empty() && matches!(end, End::Broken(0, _)), "{end:?}");
    }
}

#[test]
fn absurd_sizes_are_not_believed() {
    let regular = |size: &[u8]| [header("a.jpg", ::tar::EntryType::Regular, size), vec![0; 1024]].concat();
    // Base 256: 2^64 - 1 and 2^62.
    let all = [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let big = [0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0];
    assert!(matches!(found(&regular(&all)).1, End::Broken(0, _)));
    let (members, end) = found(&regular(&big));
    assert!(matches!(end, End::Cut(_)) && members[0].1.cut, "{end:?}");
    assert!(matches!(found(&regular(b"xyz")).1, End::Broken(0, _)));
    for kind in [::tar::EntryType::GNULongName, ::tar::EntryType::XHeader] {
        let name = [header("x", kind, b"77777777777\0"), vec![0; 1024]].concat();
        assert!(matches!(found(&name).1, End::Broken(_, what) if what.contains("absurdly")));
    }
}

#[test]
fn ends_are_told_apart() {
    let whole = tar_with(0..1);
    assert!(matches!(found(&whole).1, End::Whole));
    assert!(matches!(found(&whole[..4 * 512]).1, End::Cut("its end mark is missing")));
    assert!(matches!(found(&whole[..2 * 512 + 100]).1, End::Cut("it ends within a header")));
    assert!(matches!(found(&whole[..600]).1, End::Cut("it ends within a member")));
    assert!(matches!(found(&whole[..100]).1, End::NoArchive));
    assert!(matches!(found(&[b'x'; 2000]).1, End::NoArchive));
    assert!(matches!(walk(Path::new("absent.tar"), |_, _| ()), End::Io(_)));
}
