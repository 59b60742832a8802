//! What is wrong with a file, before its name is known.

/// Longest part of a file that a message repeats: two lines of a terminal.
const SHOWN: usize = 200;

/// What is wrong with a file.
#[derive(Debug)]
pub enum FileFault {
    /// It does not hold what it should.
    Data {
        /// What a good file has there.
        expected: String,
        /// What this file has there.
        found: String,
    },
    /// It could not be read.
    Io(std::io::Error),
}

impl FileFault {
    /// A wrong content; untrusted text is shortened and cannot control a terminal.
    pub fn new(expected: impl ToString, found: impl ToString) -> Self {
        Self::Data { expected: show(&expected.to_string()), found: show(&found.to_string()) }
    }
}

impl From<std::io::Error> for FileFault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::new("as many bytes as the header says", "the end of the file"),
            _ => Self::Io(error),
        }
    }
}

fn show(text: &str) -> String {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic();
    let one = |c: char| if plain(c) { c.to_string() } else { c.escape_unicode().to_string() };
    let mut shown: String = text.chars().take(SHOWN).map(one).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}
