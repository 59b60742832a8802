//! Tests of whole networks: gradients against finite differences, values against PyTorch.

mod gradient;
mod parity;
