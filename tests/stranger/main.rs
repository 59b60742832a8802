//! Untrusted weights: what is refused, with which message and how little memory; what is read, and that the
//! `safetensors` crate reads the same.
#![allow(clippy::unwrap_used)]
#![allow(unsafe_code)] // an allocator that counts

mod allocation;
mod corpus;
mod memory;
mod mutation;
mod network;
mod pipe;

#[global_allocator]
static ALLOCATOR: allocation::Counting = allocation::Counting;
