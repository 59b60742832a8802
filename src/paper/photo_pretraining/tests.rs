//! The updates against slow twins: a network of 24 numbers, losses that loop over their definitions, gradients and
//! Hessians by finite differences, all in double precision. And tables and claims against what the paper prints.

mod effects;
mod second_order;
mod table;
mod toy;
mod twin;
mod update;
