//! Title and note above a figure, in as many lines as its width asks for.

use super::canvas::{Area, INK, TextSize, text, width, write};
use crate::Result;
use plotters::style::text_anchor::HPos;

/// Where a head starts from the left, in pixels, and the space that it leaves at the right.
pub(super) const EDGE: i32 = 14;

/// Heights of a line of the title and of the note, in pixels.
const STEPS: (i32, i32) = (20, 16);

/// The text above a figure or a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    title: Vec<String>,
    note: Vec<String>,
}

impl Head {
    /// Breaks both into lines no longer than `room` pixels leave.
    ///
    /// # Errors
    /// A font that does not parse.
    pub fn of(title: &str, note: &str, room: u32) -> Result<Self> {
        let room = room.saturating_sub(2 * EDGE.unsigned_abs());
        Ok(Self { title: wrap(title, TextSize::Title, room)?, note: wrap(note, TextSize::Small, room)? })
    }

    /// Pixels down to where the figure may start.
    pub fn height(&self) -> i32 {
        20 + STEPS.0 * self.title.len() as i32 + STEPS.1 * self.note.len() as i32 + 4
    }

    /// Writes the title in bold and the note below it, smaller.
    ///
    /// # Errors
    /// A word that is wider than the area.
    pub fn draw(&self, area: &Area<'_>) -> Result<()> {
        let mut y = 18;
        for line in &self.title {
            write(area, line, (EDGE, y), text(TextSize::Title, INK, HPos::Left))?;
            y += STEPS.0;
        }
        for line in &self.note {
            write(area, line, (EDGE, y + 2), text(TextSize::Small, INK, HPos::Left))?;
            y += STEPS.1;
        }
        Ok(())
    }
}

/// Lines of whole words, each as long as `room` allows; a word that is longer stands alone.
fn wrap(content: &str, size: TextSize, room: u32) -> Result<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for word in content.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (longer, lines.last_mut()) {
            (Some(longer), Some(line)) if width(&longer, size)? <= room => *line = longer,
            _ => lines.push(word.into()),
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_where_the_room_ends() {
        let room = width("one two", TextSize::Small).unwrap();
        assert_eq!(wrap("one two three", TextSize::Small, room).unwrap(), ["one two", "three"]);
        assert_eq!(wrap("one two three", TextSize::Small, room - 1).unwrap(), ["one", "two", "three"]);
        assert_eq!(wrap("unbreakable a b", TextSize::Small, 30).unwrap(), ["unbreakable", "a b"]);
        assert!(wrap("", TextSize::Small, room).unwrap().is_empty());
    }

    #[test]
    fn the_height_counts_lines() {
        let of = |title: &str, note: &str| Head::of(title, note, 200).unwrap().height();
        assert_eq!((of("a", "b"), of("a", "")), (60, 44));
        assert_eq!(of("a title that is too long for two hundred", "b"), 60 + 2 * 20); // on three lines
    }
}
