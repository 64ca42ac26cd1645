//! The `trainyard` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    trainyard::cli::main()
}
