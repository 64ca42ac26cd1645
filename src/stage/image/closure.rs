//! The shared libraries that a program needs in an image which holds nothing else.
//!
//! A static program needs none. For a dynamic one the answer is asked of `ldd`, which runs the loader itself and so finds
//! what the program would really be given; guessing search paths from the file would only be right most of the time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why the libraries of a program cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ClosureError {
    /// The program cannot be read.
    #[error("cannot read the program {path}: {source}")]
    Program {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program is not one that can run in an image.
    #[error(
        "{0} is no 64-bit little-endian ELF program, so it cannot be put into a Linux image; use a `command` stage to build the image"
    )]
    NotElf(PathBuf),
    /// `ldd` is not there or failed.
    #[error(
        "{path} needs shared libraries, and `ldd` cannot name them ({reason}); install `ldd` (it comes with the C library), or use a statically linked trainyard"
    )]
    Ldd {
        /// The program.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// A library is missing on this machine.
    #[error("{path} needs the shared library {library}, which `ldd` does not find on this machine; install it")]
    Missing {
        /// The program.
        path: PathBuf,
        /// The library.
        library: String,
    },
}

/// The libraries and the loader of `program`, with the absolute paths at which it looks for them. None for a static one.
pub fn shared_libraries(program: &Path) -> Result<Vec<PathBuf>, ClosureError> {
    let dynamic =
        has_interpreter(program).map_err(|source| ClosureError::Program { path: program.to_owned(), source })?;
    if !dynamic.ok_or_else(|| ClosureError::NotElf(program.to_owned()))? {
        return Ok(Vec::new());
    }
    let failed = |reason: String| ClosureError::Ldd { path: program.to_owned(), reason };
    let output = Command::new("ldd")
        .arg(program)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())));
    }
    parse(&String::from_utf8_lossy(&output.stdout))
        .map_err(|library| ClosureError::Missing { path: program.to_owned(), library })
}

/// The paths in the output of `ldd`, or the name of the first library that it did not find.
fn parse(output: &str) -> Result<Vec<PathBuf>, String> {
    let mut libraries = Vec::new();
    for line in output.lines().map(str::trim) {
        let (name, found) = line.split_once(" => ").unwrap_or((line, line));
        if found.starts_with("not found") {
            return Err(name.to_owned());
        }
        // What has no path, such as `linux-vdso.so.1`, comes from the kernel.
        let path = found.split_once(" (").map_or(found, |(path, _)| path);
        if path.starts_with('/') {
            libraries.push(PathBuf::from(path));
        }
    }
    libraries.sort();
    libraries.dedup();
    Ok(libraries)
}

/// Whether an ELF file asks for a loader (has a `PT_INTERP` segment; see `elf(5)`); `None` if it is no such file.
fn has_interpreter(program: &Path) -> io::Result<Option<bool>> {
    const INTERPRETER: u32 = 3;
    let mut file = File::open(program)?;
    let mut start = [0_u8; 64];
    if let Err(error) = file.read_exact(&mut start) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    // The magic, then 64 bit, then little-endian.
    if !start.starts_with(&[0x7f, b'E', b'L', b'F', 2, 1]) {
        return Ok(None);
    }
    let (Some(table), Some(size), Some(count)) =
        (number::<8>(&start, 32), number::<2>(&start, 54), number::<2>(&start, 56))
    else {
        return Ok(None);
    };
    for index in 0..count {
        file.seek(SeekFrom::Start(table.saturating_add(index * size)))?;
        let mut kind = [0_u8; 4];
        file.read_exact(&mut kind)?;
        if u32::from_le_bytes(kind) == INTERPRETER {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}

/// The little-endian number of `WIDTH` bytes at `offset`.
fn number<const WIDTH: usize>(bytes: &[u8], offset: usize) -> Option<u64> {
    let field = bytes.get(offset..offset + WIDTH)?;
    Some(field.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_and_each_library_are_found_once() {
        let output = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibz.so.1 => /lib/x/libz.so.1 (0x1)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x2)\n\
                      \t/lib64/ld-linux-x86-64.so.2 (0x3)\n\tlibz.so.1 => /lib/x/libz.so.1 (0x1)\n";
        let paths = parse(output).unwrap();
        assert_eq!(
            paths,
            ["/lib/x/libc.so.6", "/lib/x/libz.so.1", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from).to_vec()
        );
        assert_eq!(parse("\tstatically linked\n").unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_library_that_is_not_there_is_named() {
        assert_eq!(parse("\tlibnope.so.1 => not found\n").unwrap_err(), "libnope.so.1");
    }

    #[test]
    fn a_script_is_no_program_for_an_image() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        std::fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
        assert!(matches!(shared_libraries(&script), Err(ClosureError::NotElf(_))));
    }
}
