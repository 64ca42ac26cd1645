//! Filesystems that send no notifications: they have to be polled, and people have to be told.

use std::path::Path;

/// The name of the network filesystem that holds `path`, if it is one. The numbers are those of `statfs(2)`.
pub fn network(path: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(path).ok()?.f_type;
    match u32::try_from(kind & 0xffff_ffff).ok()? {
        0x0000_6969 => Some("NFS"),
        0xff53_4d42 | 0xfe53_4d42 | 0x0000_517b => Some("SMB"),
        0x6573_5546 => Some("FUSE"),
        0x0102_1997 => Some("9P"),
        0x5346_414f => Some("AFS"),
        0x00c3_6400 => Some("Ceph"),
        0x0bd0_0bd0 => Some("Lustre"),
        _ => None,
    }
}
