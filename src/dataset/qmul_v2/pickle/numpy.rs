//! The part of the machine that knows numpy: what its constructors are given, and what comes of it.

use super::{Array, Fault, Global, Kind, Machine, Value};

impl<'a> Machine<'a> {
    fn tuple(&self, value: Value<'a>) -> Result<&[Value<'a>], Fault> {
        match value {
            Value::Tuple(id) => Ok(&self.tuples[id]),
            _ => self.fault("a tuple", "another value"),
        }
    }

    /// `_reconstruct(ndarray, (0,), b"b")` makes an empty array, `dtype("f8", ..)` a dtype: nothing else is called.
    pub(super) fn reduce(&mut self) -> Result<(), Fault> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let first = self.tuple(arguments)?.first().copied();
        match (callable, first) {
            (Value::Global(Global::Reconstruct), Some(Value::Global(Global::NdArray))) => {
                self.arrays.push(None);
                self.stack.push(Value::Array(self.arrays.len() - 1));
            }
            (Value::Global(Global::DType), Some(Value::Text(code @ ("f8" | "f4")))) => {
                self.kinds.push(Kind { width: if code == "f8" { 8 } else { 4 }, little: false });
                self.stack.push(Value::Kind(self.kinds.len() - 1));
            }
            (Value::Global(Global::DType), Some(Value::Text(code))) => {
                return self.fault("arrays of float64 or float32 (`f8`, `f4`)", format!("`{code}`"));
            }
            _ => return self.fault("a call of numpy's array reconstruction", "another call"),
        }
        Ok(())
    }

    /// Gives a dtype or an array its state.
    pub(super) fn build(&mut self) -> Result<(), Fault> {
        let (state, object) = (self.pop()?, self.pop()?);
        match object {
            Value::Kind(id) => match self.tuple(state)?.get(1) {
                Some(Value::Text("<")) => self.kinds[id].little = true,
                _ => return self.fault("little-endian numbers", "another byte order"),
            },
            Value::Array(id) => self.arrays[id] = Some(self.array(state)?),
            _ => return self.fault("the state of an array or a dtype", "the state of another value"),
        }
        self.stack.push(object);
        Ok(())
    }

    /// An array from its state `(version, shape, dtype, column-major, bytes)`.
    fn array(&mut self, state: Value<'a>) -> Result<Array<'a>, Fault> {
        let &[_, shape, Value::Kind(kind), Value::Bool(column_major), Value::Bytes(bytes)] = self.tuple(state)? else {
            return self.fault("an array's shape, dtype, order and bytes", "another state");
        };
        let Some(shape) = self.tuple(shape)?.iter().map(as_length).collect::<Option<Vec<_>>>() else {
            return self.fault("a shape of whole numbers", "another tuple");
        };
        let Kind { width, little } = self.kinds[kind];
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

    pub(super) fn finish(mut self) -> Result<Vec<(&'a str, Array<'a>)>, Fault> {
        if self.at != self.bytes.len() {
            return self.fault("the end of the file", format!("{} more bytes", self.bytes.len() - self.at));
        }
        if self.stack != [Value::Dict] || !self.marks.is_empty() {
            return self.fault("one dict", "another value");
        }
        let items = self.items.take().unwrap_or_default();
        let mut entries = Vec::with_capacity(items.len());
        for (position, (key, value)) in items.into_iter().enumerate() {
            let array = if let Value::Array(id) = value { self.arrays[id].take() } else { None };
            match (key, array) {
                (Value::Text(key), Some(array)) => entries.push((key, array)),
                _ => return self.fault("text keys, each with an array of its own", format!("item {position} without")),
            }
        }
        Ok(entries)
    }
}

fn as_length(value: &Value) -> Option<usize> {
    match value {
        Value::Int(length) => usize::try_from(*length).ok(),
        _ => None,
    }
}
