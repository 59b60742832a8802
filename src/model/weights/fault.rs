//! What is wrong with a file, before anyone has said which file it is.

/// Longest part of a file that a message repeats: two lines of a terminal.
const SHOWN: usize = 200;

/// What is wrong with a file.
#[derive(Debug)]
pub enum FileFault {
    /// It holds something else than it should.
    Data {
        /// What a good file has there.
        expected: String,
        /// What this one has.
        found: String,
    },
    /// It could not be read.
    Io(std::io::Error),
}

impl FileFault {
    /// Something else than it should be; what a stranger wrote is shortened and cannot steer a terminal.
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
