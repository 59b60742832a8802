//! Kinds of shoes that exclude each other, for transfers from one to the other.

use super::{Family, Heel, Shoe, ShoeMeasure, Toe};
use crate::dataset::{Split, Transfer};

impl Shoe {
    /// The part of a transfer that a shoe is of, by the generator's own attributes; none where it is of neither kind.
    ///
    /// | transfer | trained on | tested on |
    /// |---|---|---|
    /// | sandal | sandals without a wedge | sandals on a wedge |
    /// | toe-shape | pumps with a closed toe | pumps with an open one |
    /// | shoe-height | boots of the lowest third | boots of the highest third |
    /// | heel-shape | stacked, block and flared heels | stilettos and cones |
    /// | topline | low shoes and pumps with the smallest third of openings | those with the largest |
    pub(in crate::dataset::synthetic) fn part(&self, transfer: Transfer) -> Option<Split> {
        let of = |is_trained: bool, is_tested: bool| match (is_trained, is_tested) {
            (true, _) => Some(Split::Train),
            (_, true) => Some(Split::Test),
            _ => None,
        };
        let thirds = |measure| of(self.third(measure) == 0, self.third(measure) == 2);
        match (transfer, self.family) {
            (Transfer::Sandal, Family::Sandal) => of(self.heel != Heel::Wedge, true),
            (Transfer::ToeShape, Family::Pump) => of(self.toe != Toe::Open, true),
            (Transfer::ShoeHeight, Family::Boot) => thirds(ShoeMeasure::Collar), // of which the shaft's height is made
            (Transfer::HeelShape, _) => of(
                matches!(self.heel, Heel::Stacked | Heel::Block | Heel::Flared),
                matches!(self.heel, Heel::Stiletto | Heel::Cone),
            ),
            // The throat is where the opening ends in front.
            (Transfer::Topline, Family::Low | Family::Pump) => thirds(ShoeMeasure::Throat),
            _ => None,
        }
    }
}
