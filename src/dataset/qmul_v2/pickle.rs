//! A strict reader of one kind of Python pickle: a dict from text to numpy arrays of numbers.
//!
//! The released coordinate files of QMUL-V2 are such pickles (protocol 3). A general unpickler runs code that the file
//! names; this one knows numpy's array reconstruction and nothing else, never calls anything, and checks every length
//! against the bytes that are left. Neither candle's own reader (no bytes opcodes) nor `serde-pickle` (drops what
//! numpy's constructors are given) can read these files.

mod numpy;

use std::collections::BTreeMap;
use std::ops::Range;

/// Where and why a pickle is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickleFault {
    /// Byte offset of the instruction at fault.
    pub at: usize,
    /// What a good file has there.
    pub expected: String,
    /// What this file has there.
    pub found: String,
}

/// A numpy array as the file stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array<'a> {
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    column_major: bool,
    width: usize,
    bytes: &'a [u8],
}

impl Array<'_> {
    /// The number at `[row, column]` of an array with two axes; `None` outside of it.
    pub fn get(&self, row: usize, column: usize) -> Option<f64> {
        let &[rows, columns] = self.shape.as_slice() else { return None };
        if row >= rows || column >= columns {
            return None;
        }
        let item = if self.column_major { column * rows + row } else { row * columns + column };
        let bytes = self.bytes.get(item * self.width..(item + 1) * self.width)?;
        match self.width {
            4 => bytes.try_into().ok().map(|b| f64::from(f32::from_le_bytes(b))),
            _ => bytes.try_into().ok().map(f64::from_le_bytes),
        }
    }
}

/// Reads a dict of arrays, in the file's order.
///
/// # Shapes
/// Little-endian `float64` or `float32` arrays of any shape, in C or Fortran order; pickle protocols 3 and 4.
///
/// # Errors
/// The first byte that does not fit, with its offset: a cut file, an instruction or a global that numpy arrays do not
/// need, a length that does not match.
pub fn read(bytes: &[u8]) -> Result<Vec<(&str, Array<'_>)>, PickleFault> {
    let mut machine = Machine { bytes, ..Machine::default() };
    while machine.step()? {}
    machine.finish()
}

/// Everything a stack slot can hold. Compound values live in the machine's lists, so that copies share them as Python's
/// references do, and a malicious file cannot build deep values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PickleValue<'a> {
    None,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Global(Global),
    Tuple(usize),
    ItemKind(usize),
    Array(usize),
    Dict,
}

impl PickleValue<'_> {
    /// What kind of value it is, for a message.
    fn describe(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Global(_) => "a global",
            Self::Tuple(_) => "a tuple",
            Self::ItemKind(_) => "a dtype",
            Self::Array(_) => "an array",
            Self::Dict => "a dict",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    Reconstruct,
    NdArray,
    DType,
}

/// A dtype: bytes of an item, and whether the file has said that they are little-endian.
struct ItemKind {
    width: usize,
    little: bool,
}

#[derive(Default)]
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Start of the running instruction.
    start: usize,
    stack: Vec<PickleValue<'a>>,
    marks: Vec<usize>,
    memo: BTreeMap<u32, PickleValue<'a>>,
    tuples: Vec<Vec<PickleValue<'a>>>,
    kinds: Vec<ItemKind>,
    arrays: Vec<Option<Array<'a>>>,
    items: Option<Vec<(PickleValue<'a>, PickleValue<'a>)>>,
    /// Bytes that arrays hold so far: more than the file has means that arrays share bytes, which numpy never writes.
    held: usize,
}

impl<'a> Machine<'a> {
    fn fault<T>(&self, expected: impl ToString, found: impl ToString) -> Result<T, PickleFault> {
        Err(PickleFault { at: self.start, expected: expected.to_string(), found: found.to_string() })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], PickleFault> {
        let left = self.bytes.len() - self.at;
        if length > left {
            return self.fault(format!("{length} more bytes"), format!("the end of the file after {left}"));
        }
        let range: Range<usize> = self.at..self.at + length;
        self.at = range.end;
        Ok(&self.bytes[range])
    }

    /// A little-endian whole number of `width` bytes.
    fn number(&mut self, width: usize) -> Result<usize, PickleFault> {
        let bytes = self.take(width)?;
        let value = bytes.iter().rev().fold(0_u64, |sum, &byte| (sum << 8) | u64::from(byte));
        usize::try_from(value).or_else(|_| self.fault("a length that fits memory", value))
    }

    fn text(&mut self, width: usize) -> Result<PickleValue<'a>, PickleFault> {
        let length = self.number(width)?;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map(PickleValue::Text).or_else(|error| self.fault("UTF-8 text", error))
    }

    fn line(&mut self) -> Result<&'a str, PickleFault> {
        let rest = &self.bytes[self.at..];
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return self.fault("a line", "the end of the file");
        };
        let line = self.take(length + 1)?;
        std::str::from_utf8(&line[..length]).or_else(|error| self.fault("UTF-8 text", error))
    }

    fn pop(&mut self) -> Result<PickleValue<'a>, PickleFault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return self.fault("a value on the stack", "none");
        }
        self.stack.pop().map_or_else(|| self.fault("a value on the stack", "none"), Ok)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<PickleValue<'a>>, PickleFault> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => self.fault("a mark on the stack", "none"),
        }
    }

    fn push_tuple(&mut self, items: Vec<PickleValue<'a>>) {
        self.tuples.push(items);
        self.stack.push(PickleValue::Tuple(self.tuples.len() - 1));
    }

    fn pop_tuple(&mut self, length: usize) -> Result<(), PickleFault> {
        let mut items = (0..length).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.push_tuple(items);
        Ok(())
    }

    /// Runs one instruction; false after the last.
    fn step(&mut self) -> Result<bool, PickleFault> {
        self.start = self.at;
        match self.take(1)?[0] {
            0x80 => self.check_protocol()?,
            0x95 => _ = self.take(8)?, // FRAME: a hint for readers from a stream
            b'}' => self.start_dict()?,
            b'(' => self.marks.push(self.stack.len()),
            b')' => self.push_tuple(Vec::new()),
            b't' => {
                let items = self.pop_to_mark()?;
                self.push_tuple(items);
            }
            code @ 0x85..=0x87 => self.pop_tuple(usize::from(code - 0x84))?,
            b'N' => self.stack.push(PickleValue::None),
            code @ 0x88..=0x89 => self.stack.push(PickleValue::Bool(code == 0x88)),
            code @ (b'K' | b'M' | b'J' | 0x8a) => self.push_number(code)?,
            code @ (b'X' | 0x8c) => {
                let text = self.text(if code == b'X' { 4 } else { 1 })?;
                self.stack.push(text);
            }
            code @ (b'C' | b'B' | 0x8e) => {
                let width = [(b'C', 1), (b'B', 4)].iter().find(|(c, _)| *c == code).map_or(8, |(_, width)| *width);
                let length = self.number(width)?;
                let bytes = self.take(length)?;
                self.stack.push(PickleValue::Bytes(bytes));
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push_global(module, name)?;
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (PickleValue::Text(name), PickleValue::Text(module)) => self.push_global(module, name)?,
                (name, module) => {
                    let found = format!("{} and {}", module.describe(), name.describe());
                    return self.fault("the module and the name of a global", found);
                }
            },
            code @ (b'q' | b'r' | 0x94 | b'h' | b'j') => self.remember(code)?,
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(vec![key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(items)?;
            }
            b'.' => return Ok(false),
            code => {
                return self.fault("an instruction that a dict of numpy arrays needs", format!("byte 0x{code:02x}"));
            }
        }
        Ok(true)
    }

    fn check_protocol(&mut self) -> Result<(), PickleFault> {
        match self.take(1)?[0] {
            3 | 4 => Ok(()),
            other => self.fault("pickle protocol 3 or 4", other),
        }
    }

    fn push_number(&mut self, code: u8) -> Result<(), PickleFault> {
        let width = match code {
            b'K' => 1,
            b'M' => 2,
            b'J' => 4,
            _ => usize::from(self.take(1)?[0]),
        };
        if width > 8 {
            return self.fault("a whole number of at most 8 bytes", width);
        }
        let bytes = self.take(width)?;
        let negative = !matches!(code, b'K' | b'M') && bytes.last() >= Some(&0x80); // the two short forms have no sign
        let mut whole = [if negative { 0xff } else { 0 }; 8];
        whole[..width].copy_from_slice(bytes);
        self.stack.push(PickleValue::Int(i64::from_le_bytes(whole)));
        Ok(())
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), PickleFault> {
        let global = match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Global::Reconstruct,
            ("numpy", "ndarray") => Global::NdArray,
            ("numpy", "dtype") => Global::DType,
            _ => return self.fault("a global of numpy's array reconstruction", format!("`{module}.{name}`")),
        };
        self.stack.push(PickleValue::Global(global));
        Ok(())
    }

    fn remember(&mut self, code: u8) -> Result<(), PickleFault> {
        let slot = match code {
            b'q' | b'h' => self.number(1)?,
            b'r' | b'j' => self.number(4)?,
            _ => self.memo.len(),
        } as u32;
        if matches!(code, b'h' | b'j') {
            let Some(&value) = self.memo.get(&slot) else {
                return self.fault("a remembered value", format!("none in slot {slot}"));
            };
            self.stack.push(value);
        } else {
            let value = self.pop()?;
            self.stack.push(value);
            self.memo.insert(slot, value);
        }
        Ok(())
    }

    fn start_dict(&mut self) -> Result<(), PickleFault> {
        if self.items.is_some() {
            return self.fault("one dict", "a second");
        }
        self.items = Some(Vec::new());
        self.stack.push(PickleValue::Dict);
        Ok(())
    }

    fn set_items(&mut self, items: Vec<PickleValue<'a>>) -> Result<(), PickleFault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor || self.stack.last() != Some(&PickleValue::Dict) || items.len() % 2 == 1 {
            let target =
                self.stack.last().filter(|_| self.stack.len() > floor).map_or("nothing", PickleValue::describe);
            return self.fault("keys and values for the dict", format!("{} values for {target}", items.len()));
        }
        self.items.get_or_insert_default().extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What Python's `pickle.dumps(dict, 3)` writes for a dict of float64 arrays, byte for byte in kind.
    pub(crate) fn write(entries: &[(&str, Vec<[f64; 3]>)], column_major: bool) -> Vec<u8> {
        let mut out = vec![0x80, 3, b'}', b'q', 0, b'('];
        for (key, rows) in entries {
            out.push(b'X');
            out.extend((key.len() as u32).to_le_bytes());
            out.extend(key.as_bytes());
            out.extend(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01M");
            out.extend((rows.len() as u16).to_le_bytes());
            out.extend(b"K\x03\x86cnumpy\ndtype\nX\x02\x00\x00\x00f8K\x00K\x01\x87R");
            out.extend(b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb");
            out.push(if column_major { 0x88 } else { 0x89 });
            out.push(b'B');
            out.extend((rows.len() as u32 * 24).to_le_bytes());
            let cells: Vec<f64> = if column_major {
                (0..3).flat_map(|column| rows.iter().map(move |row| row[column])).collect()
            } else {
                rows.concat()
            };
            cells.iter().for_each(|cell| out.extend(cell.to_le_bytes()));
            out.extend(b"tb");
        }
        out.extend(b"u.");
        out
    }

    fn rows() -> Vec<[f64; 3]> {
        vec![[1.0, 2.0, 0.0], [3.5, 4.0, 1.0]]
    }

    #[test]
    fn both_orders_read_the_same_numbers() {
        for column_major in [false, true] {
            let bytes = write(&[("a", rows()), ("b", vec![[9.0, 8.0, 7.0]])], column_major);
            let entries = read(&bytes).unwrap();
            assert_eq!(entries.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["a", "b"]);
            let array = &entries[0].1;
            assert_eq!(array.shape, [2, 3]);
            assert_eq!([array.get(1, 0), array.get(0, 1), array.get(1, 2)], [Some(3.5), Some(2.0), Some(1.0)]);
            assert_eq!([array.get(2, 0), array.get(0, 3)], [None, None]);
        }
    }

    #[test]
    fn every_cut_of_a_file_is_a_fault_and_no_panic() {
        let bytes = write(&[("a", rows())], false);
        for length in 0..bytes.len() {
            let fault = read(&bytes[..length]).unwrap_err();
            assert!(fault.at <= length, "{fault:?}");
        }
    }

    #[test]
    fn every_changed_byte_is_read_or_refused_without_a_panic() {
        let bytes = write(&[("a", rows()), ("b", rows())], true);
        let mut refused = 0;
        for position in 0..bytes.len() {
            for value in [0, 1, b'(', b'.', b'R', b'b', b't', b'u', 0x7f, 0x86, 0x94, 0xff] {
                let mut broken = bytes.clone();
                broken[position] = value;
                refused += usize::from(read(&broken).is_err());
            }
        }
        assert!(refused > bytes.len(), "{refused}");
    }

    #[test]
    fn made_up_programs_are_refused_without_a_panic() {
        use rand::Rng;
        let words: [&[u8]; 18] = [
            b"}",
            b"(",
            b")",
            b"t",
            b"\x85",
            b"\x87",
            b"N",
            b"\x88",
            b"K\x01",
            b"X\x01\0\0\0<",
            b"C\x02ab",
            b"q\x01",
            b"h\x01",
            b"\x94",
            b"cnumpy\ndtype\n",
            b"R",
            b"b",
            b"u",
        ];
        for item in 0..5000 {
            let mut stream = crate::seed::Seed(0).child("program", item);
            let mut program = b"\x80\x03".to_vec();
            (0..30).for_each(|_| program.extend(words[stream.next_u32() as usize % words.len()]));
            program.push(b'.');
            read(&program).unwrap_err();
        }
    }

    #[test]
    fn another_global_is_refused_with_its_name_and_offset() {
        let fault = read(b"\x80\x03cos\nsystem\nX\x02\x00\x00\x00ls\x85R.").unwrap_err();
        assert_eq!((fault.at, fault.found.as_str()), (2, "`os.system`"));
    }

    #[test]
    fn a_length_beyond_the_file_is_refused_before_memory_is_taken() {
        let fault = read(b"\x80\x03B\xff\xff\xff\x7fabc").unwrap_err();
        assert_eq!(fault.found, "the end of the file after 3");
    }

    #[test]
    fn whole_numbers_keep_their_sign() {
        let mut machine =
            Machine { bytes: b"K\xffM\xff\xffJ\xff\xff\xff\xff\x8a\x01\xff\x8a\x00", ..Machine::default() };
        for _ in 0..5 {
            machine.step().unwrap();
        }
        let expected = [255, 65_535, -1, -1, 0].map(PickleValue::Int);
        assert_eq!(machine.stack, expected);
    }

    #[test]
    fn a_shape_that_does_not_match_the_bytes_is_refused() {
        let mut bytes = write(&[("a", rows())], false);
        let at = bytes.windows(4).position(|w| w == b"M\x02\x00K").unwrap();
        bytes[at + 1] = 3;
        assert_eq!(read(&bytes).unwrap_err().found, "48 bytes");
    }
}
