//! Numpy's part of the machine: arguments of its constructors, and the arrays that they make.

use super::{Array, Global, ItemKind, Machine, PickleFault, PickleValue};

impl<'a> Machine<'a> {
    fn tuple(&self, value: PickleValue<'a>) -> Result<&[PickleValue<'a>], PickleFault> {
        match value {
            PickleValue::Tuple(id) => Ok(&self.tuples[id]),
            other => self.fault("a tuple", other.describe()),
        }
    }

    /// `_reconstruct(ndarray, (0,), b"b")` makes an empty array, `dtype("f8", ..)` a dtype: nothing else is called.
    pub(super) fn reduce(&mut self) -> Result<(), PickleFault> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let first = self.tuple(arguments)?.first().copied();
        match (callable, first) {
            (PickleValue::Global(Global::Reconstruct), Some(PickleValue::Global(Global::NdArray))) => {
                self.arrays.push(None);
                self.stack.push(PickleValue::Array(self.arrays.len() - 1));
            }
            (PickleValue::Global(Global::DType), Some(PickleValue::Text(code @ ("f8" | "f4")))) => {
                self.kinds.push(ItemKind { width: if code == "f8" { 8 } else { 4 }, little: false });
                self.stack.push(PickleValue::ItemKind(self.kinds.len() - 1));
            }
            (PickleValue::Global(Global::DType), Some(PickleValue::Text(code))) => {
                return self.fault("arrays of float64 or float32 (`f8`, `f4`)", format!("`{code}`"));
            }
            (called, first) => {
                let first = first.as_ref().map_or("nothing", PickleValue::describe);
                let found = format!("{} called on {first}", called.describe());
                return self.fault("a call of numpy's array reconstruction", found);
            }
        }
        Ok(())
    }

    /// Gives a dtype or an array its state.
    pub(super) fn build(&mut self) -> Result<(), PickleFault> {
        let (state, object) = (self.pop()?, self.pop()?);
        match object {
            PickleValue::ItemKind(id) => match self.tuple(state)?.get(1) {
                Some(PickleValue::Text("<")) => self.kinds[id].little = true,
                Some(PickleValue::Text(order)) => {
                    return self.fault("little-endian numbers", format!("byte order {order:?}"));
                }
                _ => return self.fault("little-endian numbers", "no byte order"),
            },
            PickleValue::Array(id) => self.arrays[id] = Some(self.array(state)?),
            other => {
                return self.fault("the state of an array or a dtype", format!("the state of {}", other.describe()));
            }
        }
        self.stack.push(object);
        Ok(())
    }

    /// An array from its state `(version, shape, dtype, column-major, bytes)`.
    fn array(&mut self, state: PickleValue<'a>) -> Result<Array<'a>, PickleFault> {
        let &[_, shape, PickleValue::ItemKind(kind), PickleValue::Bool(column_major), PickleValue::Bytes(bytes)] =
            self.tuple(state)?
        else {
            let found = self.tuple(state)?.iter().map(PickleValue::describe).collect::<Vec<_>>().join(", ");
            return self.fault("an array's version, shape, dtype, order and bytes", found);
        };
        let Some(shape) = self.tuple(shape)?.iter().map(as_length).collect::<Option<Vec<_>>>() else {
            let found = self.tuple(shape)?.iter().map(PickleValue::describe).collect::<Vec<_>>().join(", ");
            return self.fault("a shape of whole numbers", found);
        };
        let ItemKind { width, little } = self.kinds[kind];
        if !little {
            return self.fault("little-endian numbers", "no byte order");
        }
        let wanted = shape.iter().try_fold(width, |product, &length| product.checked_mul(length));
        if wanted != Some(bytes.len()) {
            return self.fault(format!("the bytes of an array of shape {shape:?}"), format!("{} bytes", bytes.len()));
        }
        self.held += bytes.len();
        if self.held > self.bytes.len() {
            return self.fault("arrays with bytes of their own", "arrays that share bytes");
        }
        Ok(Array { shape, column_major, width, bytes })
    }

    pub(super) fn finish(mut self) -> Result<Vec<(&'a str, Array<'a>)>, PickleFault> {
        if self.at != self.bytes.len() {
            return self.fault("the end of the file", format!("{} more bytes", self.bytes.len() - self.at));
        }
        if self.stack != [PickleValue::Dict] || !self.marks.is_empty() {
            let found = self.stack.iter().map(PickleValue::describe).collect::<Vec<_>>().join(", ");
            return self.fault("one dict", if found.is_empty() { "nothing".into() } else { found });
        }
        let items = self.items.take().unwrap_or_default();
        let mut entries = Vec::with_capacity(items.len());
        for (position, (key, value)) in items.into_iter().enumerate() {
            let array = if let PickleValue::Array(id) = value { self.arrays[id].take() } else { None };
            match (key, array) {
                (PickleValue::Text(key), Some(array)) => entries.push((key, array)),
                (key, array) => {
                    let array = if array.is_some() { "an array" } else { "no array" };
                    let found = format!("{} with {array} in item {position}", key.describe());
                    return self.fault("text keys, each with an array of its own", found);
                }
            }
        }
        Ok(entries)
    }
}

fn as_length(value: &PickleValue) -> Option<usize> {
    match value {
        PickleValue::Int(length) => usize::try_from(*length).ok(),
        _ => None,
    }
}
