//! A reader that goes away, as `head` does.
#![cfg(unix)]

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// What a shell reports as 141: ended by the signal of a closed pipe.
const SIGPIPE: i32 = 13;

fn table() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrace"));
    command.args(["data", "list"]).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("RETRACE_DATA");
    command
}

#[test]
fn a_closed_pipe_ends_the_program_without_a_word() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = table().stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(said, "");
    assert_eq!((status.code(), status.signal()), (None, Some(SIGPIPE)));
}

#[test]
fn an_open_pipe_gets_everything() {
    let output = table().output().unwrap();
    assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
}
