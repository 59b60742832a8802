//! The font of a figure: DejaVu Sans, cut down to the characters in use.

use crate::{Error, Result};
use ab_glyph::{Font, FontRef};
use base64::Engine;
use plotters::style::{FontStyle, register_font};
use std::collections::BTreeSet;
use subsetter::GlyphRemapper;

/// As written into the SVG.
pub const FAMILY: &str = "DejaVu Sans";

/// A weight of the font: its SVG attribute value, its plotters name and its file.
struct Weight(&'static str, FontStyle, fn() -> &'static [u8]);

const WEIGHTS: [Weight; 2] = [
    Weight("normal", FontStyle::Normal, dejavu::sans::regular),
    Weight("bold", FontStyle::Bold, dejavu::sans::bold),
];

/// Tells plotters the font, so that text is measured with the glyphs that will be shown.
pub fn register() -> Result<()> {
    for Weight(name, style, file) in &WEIGHTS {
        register_font(FAMILY, *style, file()).map_err(|_| Error::Figure(format!("{FAMILY} {name} does not parse")))?;
    }
    Ok(())
}

/// Adds an `@font-face` for every weight the SVG uses, with the glyphs of its text alone.
pub fn embed(svg: &str) -> Result<String> {
    let mut faces = String::new();
    for Weight(name, _, file) in &WEIGHTS {
        let used = characters(svg, *name == "bold");
        if !used.is_empty() {
            let data = base64::engine::general_purpose::STANDARD.encode(subset(file(), &used)?);
            let source = format!("url(data:font/ttf;base64,{data}) format(\"truetype\")");
            faces += &format!("@font-face{{font-family:\"{FAMILY}\";font-weight:{name};src:{source}}}\n");
        }
    }
    let head = svg.find('>').ok_or_else(|| Error::Figure("no <svg> element".into()))? + 1;
    Ok(format!("{}\n<style>\n{faces}</style>{}", &svg[..head], &svg[head..]))
}

/// The characters inside the `<text>` elements of one weight.
pub fn characters(svg: &str, bold: bool) -> BTreeSet<char> {
    let mut used = BTreeSet::new();
    for element in svg.split("<text ").skip(1) {
        let Some((attributes, rest)) = element.split_once('>') else { continue };
        if attributes.contains("font-weight=\"bold\"") == bold {
            let text = rest.split("</text>").next().unwrap_or_default();
            let escapes = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
            let plain = escapes.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to));
            used.extend(plain.chars().filter(|letter| *letter != '\n'));
        }
    }
    used
}

/// A TrueType font with the glyphs of `used` alone.
///
/// `subsetter` cuts for PDF, where the reader brings the map from characters to glyphs; a browser wants that map
/// (`cmap`) and the metrics table (`OS/2`) in the file, so both are added here.
pub fn subset(file: &[u8], used: &BTreeSet<char>) -> Result<Vec<u8>> {
    let font = FontRef::try_from_slice(file).map_err(|error| Error::Figure(error.to_string()))?;
    let mut glyphs = GlyphRemapper::new();
    let mut map = Vec::new();
    for &letter in used {
        let glyph = font.glyph_id(letter).0;
        let code = u16::try_from(u32::from(letter)).unwrap_or(0);
        if glyph == 0 || code == 0 {
            return Err(Error::Figure(format!("{FAMILY} has no glyph for {letter:?}")));
        }
        map.push((code, glyphs.remap(glyph)));
    }
    let cut = subsetter::subset(file, 0, &glyphs).map_err(|error| Error::Figure(error.to_string()))?;
    let mut tables = tables(&cut)?;
    tables.extend(self::tables(file)?.into_iter().filter(|(tag, _)| tag == b"OS/2"));
    tables.push((*b"cmap", cmap(&map)));
    tables.sort();
    assemble(tables)
}

type Table = ([u8; 4], Vec<u8>);

/// The tables of a TrueType file.
fn tables(file: &[u8]) -> Result<Vec<Table>> {
    let malformed = || Error::Figure("the font's table directory is cut short".into());
    let count = file.get(4..6).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]]))).ok_or_else(malformed)?;
    let records = file.get(12..12 + 16 * count).ok_or_else(malformed)?;
    let read = |record: &[u8]| {
        let number = |at: usize| u32::from_be_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]) as usize;
        let data = file.get(number(8)..number(8) + number(12))?;
        Some(([record[0], record[1], record[2], record[3]], data.to_vec()))
    };
    records.chunks_exact(16).map(|record| read(record).ok_or_else(malformed)).collect()
}

/// A character map of format 4 with one segment a character; `map` rises by character.
fn cmap(map: &[(u16, u16)]) -> Vec<u8> {
    let segments: Vec<(u16, u16)> = map.iter().map(|(code, glyph)| (*code, glyph.wrapping_sub(*code))).chain([(0xffff, 1)]).collect();
    let count = segments.len() as u16;
    let (selector, range) = search(count, 2);
    // Version 0, one table: Windows Unicode, at byte 12.
    let mut words: Vec<u16> = vec![0, 1, 3, 1, 0, 12];
    words.extend([4, 16 + 8 * count, 0, 2 * count, range, selector, 2 * count - range]);
    words.extend(segments.iter().map(|segment| segment.0)); // ends
    words.push(0);
    words.extend(segments.iter().map(|segment| segment.0)); // starts
    words.extend(segments.iter().map(|segment| segment.1)); // glyph - character
    words.extend(vec![0; segments.len()]); // no indirection
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// The binary-search fields of the format: log2 of the largest power of two, and that power times `size`.
fn search(count: u16, size: u16) -> (u16, u16) {
    let selector = count.max(1).ilog2() as u16;
    (selector, (1 << selector) * size)
}

fn assemble(mut tables: Vec<Table>) -> Result<Vec<u8>> {
    let count = tables.len() as u16;
    let (selector, range) = search(count, 16);
    let mut file = vec![0, 1, 0, 0];
    file.extend([count, range, selector, 16 * count - range].iter().flat_map(|word| word.to_be_bytes()));
    let mut offset = 12 + 16 * tables.len();
    let mut head = None;
    for (tag, data) in &mut tables {
        if tag == b"head" && data.len() >= 12 {
            data[8..12].fill(0); // the sum below is taken with this field at zero
            head = Some(offset + 8);
        }
        file.extend(*tag);
        file.extend([checksum(data), offset as u32, data.len() as u32].iter().flat_map(|word| word.to_be_bytes()));
        offset += data.len().next_multiple_of(4);
    }
    for (_, data) in &tables {
        file.extend(data);
        file.resize(file.len().next_multiple_of(4), 0);
    }
    let head = head.ok_or_else(|| Error::Figure("the font has no head table".into()))?;
    let adjustment = 0xb1b0_afba_u32.wrapping_sub(checksum(&file)); // OpenType, head.checksumAdjustment
    file[head..head + 4].copy_from_slice(&adjustment.to_be_bytes());
    Ok(file)
}

fn checksum(data: &[u8]) -> u32 {
    let word = |bytes: &[u8]| (0..4).fold(0_u32, |sum, i| sum << 8 | u32::from(bytes.get(i).copied().unwrap_or(0)));
    data.chunks(4).fold(0, |sum, bytes| sum.wrapping_add(word(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ab_glyph::ScaleFont;

    #[test]
    fn a_subset_shows_the_same_letters_at_the_same_width() {
        let used: BTreeSet<char> = "Acc@1 (%) ± é".chars().collect();
        let whole = FontRef::try_from_slice(dejavu::sans::regular()).unwrap();
        let bytes = subset(dejavu::sans::regular(), &used).unwrap();
        let cut = FontRef::try_from_slice(&bytes).unwrap();
        for &letter in &used {
            let (a, b) = (whole.glyph_id(letter), cut.glyph_id(letter));
            assert_ne!(b.0, 0, "{letter}");
            assert_eq!(whole.as_scaled(64.0).h_advance(a), cut.as_scaled(64.0).h_advance(b), "{letter}");
            assert_eq!(whole.outline(a).map(|o| o.curves.len()), cut.outline(b).map(|o| o.curves.len()), "{letter}");
        }
        assert_eq!(cut.glyph_id('Z').0, 0);
        assert!(bytes.len() < 20_000, "{} bytes", bytes.len());
        assert_eq!(bytes, subset(dejavu::sans::regular(), &used).unwrap());
        assert_eq!(checksum(&bytes), 0xb1b0_afba);
    }

    #[test]
    fn letters_come_from_text_elements_of_their_weight() {
        let svg = "<svg>\n<rect/>q<text x=\"1\">\na&lt;\n</text><text font-weight=\"bold\">\nB&amp;\n</text></svg>";
        assert_eq!(characters(svg, false).into_iter().collect::<String>(), "<a");
        assert_eq!(characters(svg, true).into_iter().collect::<String>(), "&B");
        let embedded = embed(svg).unwrap();
        assert_eq!(embedded.matches("@font-face").count(), 2);
        assert!(embedded.starts_with("<svg>\n<style>"));
    }

    #[test]
    fn a_letter_that_the_font_lacks_is_an_error() {
        let error = subset(dejavu::sans::regular(), &BTreeSet::from(['漢'])).unwrap_err().to_string();
        assert!(error.contains('漢'), "{error}");
    }
}
