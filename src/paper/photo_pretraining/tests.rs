//! The updates against slow twins.
