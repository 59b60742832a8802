//! Networks, initialisers, strict weight loading; and HOG, the descriptor that needs no learning.

pub mod hog;
