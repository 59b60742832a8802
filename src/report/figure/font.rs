//! The font of a figure: DejaVu Sans, cut down to the characters in use.

use super::truetype;
use crate::{Error, Result};
use ab_glyph::{Font, FontRef};
use base64::Engine;
use plotters::style::{FontStyle, register_font};
use std::collections::BTreeSet;
use subsetter::GlyphRemapper;

/// As written into the SVG.
pub const FAMILY: &str = "DejaVu Sans";

/// Records of the `name` table: the author and the licence of the font. The original's, which hold the whole licence
/// twice, would be most of a figure.
const NAMES: [(u16, &str); 5] = [
    (0, "Copyright 2003 Bitstream, Inc. and 2006 Tavmjong Bah; DejaVu changes are in the public domain. A subset."),
    (1, FAMILY),
    (4, FAMILY),
    (6, "DejaVuSans"),
    (14, "https://dejavu-fonts.github.io/License.html"),
];

/// A weight of the font: its SVG attribute value, its plotters name and its file.
struct FontWeight(&'static str, FontStyle, fn() -> &'static [u8]);

const WEIGHTS: [FontWeight; 2] = [
    FontWeight("normal", FontStyle::Normal, dejavu::sans::regular),
    FontWeight("bold", FontStyle::Bold, dejavu::sans::bold),
];

/// Tells plotters the font, so that text is measured with the glyphs that will be shown.
pub fn register() -> Result<()> {
    for FontWeight(name, style, file) in &WEIGHTS {
        register_font(FAMILY, *style, file()).map_err(|_| Error::Figure(format!("{FAMILY} {name} does not parse")))?;
    }
    Ok(())
}

/// Adds an `@font-face` for every weight the SVG uses, with the glyphs of its text alone.
pub fn embed(svg: &str) -> Result<String> {
    let mut faces = String::new();
    for FontWeight(name, _, file) in &WEIGHTS {
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
/// `subsetter` cuts for PDF, where the reader has the map from characters to glyphs; a browser needs that map
/// (`cmap`) and the metrics table (`OS/2`) in the file, so both are added here, and the names are cut short.
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
    let mut tables = truetype::read(&cut)?;
    tables.retain(|(tag, _)| tag != b"name");
    tables.extend(truetype::read(file)?.into_iter().filter(|(tag, _)| tag == b"OS/2"));
    tables.push((*b"cmap", truetype::write_cmap(&map)));
    tables.push((*b"name", truetype::write_name(&NAMES)));
    tables.sort();
    truetype::assemble(tables)
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
        assert!(bytes.len() < 10_000, "{} bytes", bytes.len());
        assert_eq!(bytes, subset(dejavu::sans::regular(), &used).unwrap());
        assert_eq!(truetype::checksum(&bytes), 0xb1b0_afba);
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
