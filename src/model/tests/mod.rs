//! Tests of whole networks: gradients against finite differences, values against PyTorch, runs on given weights.

mod gradient;
mod overlay;
mod parity;
