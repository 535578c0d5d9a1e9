//! The program: everything it does is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Rows are made on one thread and let go on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    rehearsal::cli::main()
}
