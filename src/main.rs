//! The `retrace` binary: parse, check, dispatch.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a binary prints for its user

mod cli;

use clap::Parser;
use std::process::ExitCode;

/// Tensors are allocated and freed by the megabyte; this allocator reuses their pages instead of asking the system for
/// new ones, and counts them.
#[global_allocator]
static ALLOCATOR: &retrace::memory::Allocator = &retrace::memory::ALLOCATOR;

#[allow(unsafe_code)]
fn main() -> ExitCode {
    sigpipe::reset(); // a closed pipe (`| head`) ends the program; Rust would panic at the next line
    // SAFETY: the first thread is the only one so far.
    unsafe { retrace::device::set_up() };
    match cli::run(cli::Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ retrace::Error::Stopped { .. }) => {
            eprintln!("{error}");
            ExitCode::from(130) // 128 + SIGINT, as shells have it
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
