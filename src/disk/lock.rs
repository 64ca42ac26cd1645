//! A lock that the kernel takes back when its holder dies, however it dies.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

/// How often, and with which pauses, a lock is tried that may be held only for an instant.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// An exclusive `flock` on a file, held until dropped. Process numbers may be used again; this lock cannot be.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock, or returns `None` when another process holds it.
    pub fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the lock, trying for a moment: whoever asks [`FileLock::is_held`] holds it for an instant too.
    pub fn acquire_soon(path: &Path) -> io::Result<Option<Self>> {
        for _ in 0..TRIES {
            if let Some(lock) = Self::try_acquire(path)? {
                return Ok(Some(lock));
            }
            std::thread::park_timeout(PAUSE);
        }
        Ok(None)
    }

    /// Whether some process holds the lock now. Whoever asks shares it for an instant with others who ask: none of them is
    /// taken for a holder.
    pub fn is_held(path: &Path) -> io::Result<bool> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn of_those_who_ask_at_once_none_is_taken_for_a_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!FileLock::is_held(&path).unwrap());
        let lock = FileLock::try_acquire(&path).unwrap().unwrap();
        assert!(FileLock::is_held(&path).unwrap());
        drop(lock);
        let together = Barrier::new(4);
        let ask = || {
            together.wait();
            (0..5_000).filter(|_| FileLock::is_held(&path).unwrap()).count()
        };
        let held: usize = thread::scope(|scope| {
            let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().map(|asking| asking.join().unwrap()).sum()
        });
        assert_eq!(held, 0);
        assert!(FileLock::acquire_soon(&path).unwrap().is_some());
    }
}
