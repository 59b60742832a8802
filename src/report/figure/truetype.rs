//! TrueType files as lists of tables, as the OpenType specification lays them out.

use crate::{Error, Result};

/// A tag and its bytes.
pub type FontTable = ([u8; 4], Vec<u8>);

/// The tables of a TrueType file.
pub fn read(file: &[u8]) -> Result<Vec<FontTable>> {
    let malformed = || Error::Figure("the font's table directory is cut short".into());
    let count = file.get(4..6).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]]))).ok_or_else(malformed)?;
    let records = file.get(12..12 + 16 * count).ok_or_else(malformed)?;
    let read = |record: &[u8]| {
        let number =
            |at: usize| u32::from_be_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]) as usize;
        let data = file.get(number(8)..number(8) + number(12))?;
        Some(([record[0], record[1], record[2], record[3]], data.to_vec()))
    };
    records.chunks_exact(16).map(|record| read(record).ok_or_else(malformed)).collect()
}

/// A character map of format 4 with one segment a character; `map` rises by character.
pub fn write_cmap(map: &[(u16, u16)]) -> Vec<u8> {
    let segments: Vec<(u16, u16)> =
        map.iter().map(|(code, glyph)| (*code, glyph.wrapping_sub(*code))).chain([(0xffff, 1)]).collect();
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

/// A name table of Windows Unicode records in American English; `names` rises by record number.
pub fn write_name(names: &[(u16, &str)]) -> Vec<u8> {
    let count = names.len() as u16;
    let mut words: Vec<u16> = vec![0, count, 6 + 12 * count];
    let mut strings: Vec<u16> = Vec::new();
    for (number, text) in names {
        let units: Vec<u16> = text.encode_utf16().collect();
        words.extend([3, 1, 0x409, *number, 2 * units.len() as u16, 2 * strings.len() as u16]);
        strings.extend(units);
    }
    words.iter().chain(&strings).flat_map(|word| word.to_be_bytes()).collect()
}

/// The binary-search fields of the format: log2 of the largest power of two, and that power times `size`.
fn search(count: u16, size: u16) -> (u16, u16) {
    let selector = count.max(1).ilog2() as u16;
    (selector, (1 << selector) * size)
}

/// A TrueType file of these tables, sorted by tag.
pub fn assemble(mut tables: Vec<FontTable>) -> Result<Vec<u8>> {
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

/// The sum of the big-endian words, zeros filled up.
pub fn checksum(data: &[u8]) -> u32 {
    let word = |bytes: &[u8]| (0..4).fold(0_u32, |sum, i| sum << 8 | u32::from(bytes.get(i).copied().unwrap_or(0)));
    data.chunks(4).fold(0, |sum, bytes| sum.wrapping_add(word(bytes)))
}
