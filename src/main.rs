//! Arguments in, exit status out. Every decision is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    imgen::cli::main()
}
