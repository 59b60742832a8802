//! The generated parts of a markdown file: what stands between `<!-- table:NAME -->` and `<!-- /table -->`.

use crate::file::write_atomic;
use crate::{Error, Result};
use std::path::Path;

const END: &str = "<!-- /table -->";

/// A part's name and the text that belongs there.
pub type Block = (String, String);

/// Replaces the content of every marked part of `text`.
///
/// # Errors
/// A mark without its end, a name that no block has, or a block whose mark is missing; `path` is only for the message.
///
/// ```
/// use retrace::report::block::fill;
/// let text = "before\n<!-- table:a -->\nold\n<!-- /table -->\nafter\n";
/// let filled = fill("README.md".as_ref(), text, &[("a".into(), "new\n".into())])?;
/// assert_eq!(filled, "before\n<!-- table:a -->\n\nnew\n\n<!-- /table -->\nafter\n");
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn fill(path: &Path, text: &str, blocks: &[Block]) -> Result<String> {
    let (mut filled, mut seen, mut inside) = (String::new(), Vec::new(), None::<(usize, &Block)>);
    for (number, line) in text.lines().enumerate() {
        match (mark(line), inside) {
            (Some(name), None) => {
                let block = blocks.iter().find(|block| block.0 == name).ok_or_else(|| unknown(path, number, name))?;
                filled += &format!("{line}\n\n{}\n\n", block.1.trim_end());
                seen.push(name);
                inside = Some((number, block));
            }
            (Some(_), Some((opened, _))) => return Err(unclosed(path, opened)),
            (None, Some(_)) if line.trim() != END => {}
            (None, Some(_)) => {
                filled += &format!("{line}\n");
                inside = None;
            }
            (None, None) => filled += &format!("{line}\n"),
        }
    }
    match (inside, blocks.iter().find(|block| !seen.contains(&block.0.as_str()))) {
        (Some((opened, _)), _) => Err(unclosed(path, opened)),
        (None, Some(block)) => Err(Error::data(path, format!("a line <!-- table:{} -->", block.0), "none")),
        (None, None) => Ok(filled),
    }
}

fn mark(line: &str) -> Option<&str> {
    line.trim().strip_prefix("<!-- table:")?.strip_suffix("-->").map(str::trim)
}

fn unknown(path: &Path, number: usize, name: &str) -> Error {
    Error::data(path, "the name of a table", format!("table:{name} in line {}", number + 1))
}

fn unclosed(path: &Path, opened: usize) -> Error {
    Error::data(path, format!("{END} after line {}", opened + 1), "none")
}

/// Rewrites the marked parts of a file.
///
/// # Errors
/// As [`fill`], or a file that cannot be read or written.
pub fn rewrite(path: &Path, blocks: &[Block]) -> Result<()> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    write_atomic(path, fill(path, &text, blocks)?.as_bytes())
}

/// Checks that the marked parts of a file are what [`rewrite`] would write.
///
/// # Errors
/// As [`fill`], or a file that differs; the first line that differs is named.
pub fn check(path: &Path, blocks: &[Block]) -> Result<()> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    let filled = fill(path, &text, blocks)?;
    let differs = (0..).zip(filled.lines()).find(|(i, line)| text.lines().nth(*i) != Some(line));
    match differs {
        Some((i, line)) => {
            let found = text.lines().nth(i).unwrap_or("the end");
            Err(Error::data(path, format!("line {}: {line}", i + 1), found))
        }
        None => match text.lines().nth(filled.lines().count()) {
            Some(line) => Err(Error::data(path, "no further line", line)),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks() -> Vec<Block> {
        vec![("a".into(), "| 1 |\n".into()), ("b".into(), "| 2 |".into())]
    }

    const TEXT: &str = "# T\n<!-- table:a -->\nold\nold\n<!-- /table -->\nmid\n<!-- table:b -->\n<!-- /table -->\n";

    #[test]
    fn rewriting_is_stable_and_checked() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("README.md");
        std::fs::write(&path, TEXT).unwrap();
        let error = check(&path, &blocks()).unwrap_err().to_string();
        assert!(error.contains("README.md") && error.contains("line 3") && error.contains("old"), "{error}");
        rewrite(&path, &blocks()).unwrap();
        check(&path, &blocks()).unwrap();
        let once = std::fs::read_to_string(&path).unwrap();
        assert!(once.contains("| 1 |") && once.contains("| 2 |") && once.contains("mid") && !once.contains("old"));
        rewrite(&path, &blocks()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), once);
        let tampered = once.replace("| 2 |", "| 3 |");
        std::fs::write(&path, tampered).unwrap();
        assert!(check(&path, &blocks()).unwrap_err().to_string().contains("| 3 |"));
    }

    #[test]
    fn marks_must_match() {
        let path = Path::new("x.md");
        let fails = |text: &str| fill(path, text, &blocks()).unwrap_err().to_string();
        assert!(fails("<!-- table:a -->\n").contains("after line 1"));
        assert!(fails("<!-- table:a -->\n<!-- table:b -->\n<!-- /table -->\n").contains("after line 1"));
        assert!(fails("<!-- table:z -->\n<!-- /table -->\n").contains("table:z in line 1"));
        assert!(fails("nothing\n").contains("table:a"));
    }
}
