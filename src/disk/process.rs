//! What the kernel says of a process, by which one is told from a later one of the same number.

use std::fs;

/// The identity of this boot; empty where the kernel does not tell.
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// A few fields of `/proc/PID/stat`, see `proc_pid_stat(5)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessStat {
    /// The number of the parent.
    pub parent: i32,
    /// The number of its process group.
    pub group: i32,
    /// One letter; `Z` is a zombie.
    pub state: char,
    /// When it started, in clock ticks since the boot (field 22).
    pub start: u64,
    /// Processor time in clock ticks, of itself in user and kernel mode (fields 14 and 15).
    pub ticks: u64,
    /// Pages in memory (field 24).
    pub resident_pages: u64,
}

impl ProcessStat {
    /// Of the process with that number; `None` if there is none.
    pub fn read(pid: i32) -> Option<Self> {
        let bytes = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        // The name, in parentheses, may itself hold anything.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            start: fields.get(19)?.parse().ok()?,
            ticks: fields.get(11)?.parse::<u64>().ok()?.saturating_add(fields.get(12)?.parse().ok()?),
            resident_pages: fields.get(21)?.parse().ok()?,
        })
    }
}
