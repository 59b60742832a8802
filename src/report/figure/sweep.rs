//! Rows over a value that their names carry, e.g. the weight of a loss, on a logarithmic axis; what they are compared with
//! is dashed.

use super::axis::Axis;
use super::panel::{self, Deviation, Level, Panel, PanelLine, PointSpread, reach};
use super::seeds::bars;
use crate::report::records::Records;
use crate::{Error, Result};

/// Space beside the outermost values, in decades, so that a level's bar stands apart from the points.
const AIR: f64 = 0.12;

/// The figure while its lines are added.
#[derive(Debug, Clone)]
pub struct Sweep<'a> {
    records: Records<'a>,
    /// Where each value stands, and how it is written.
    ticks: Vec<(f64, String)>,
    lines: Vec<PanelLine>,
    levels: Vec<Level>,
    /// Numbers of seeds of all points and levels.
    seeds: Vec<usize>,
}

impl<'a> Sweep<'a> {
    /// An empty figure over values by rising size, each written as the rows' names write it.
    ///
    /// # Errors
    /// A value that is not a number above 0.
    pub fn new(records: Records<'a>, values: &[&str]) -> Result<Self> {
        let tick = |value: &&str| {
            let number = value.parse::<f64>().ok().filter(|number| *number > 0.0);
            let number = number.ok_or_else(|| Error::value("value of a sweep", "a number above 0", value))?;
            Ok((number.log10(), value.to_string()))
        };
        let ticks = values.iter().map(tick).collect::<Result<_>>()?;
        Ok(Self { records, ticks, lines: Vec::new(), levels: Vec::new(), seeds: Vec::new() })
    }

    /// Adds a row's means at every value that it was run with, and returns the line's colour; none, and no line, where these
    /// are fewer than two.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub fn add_line(&mut self, label: &str, row: &dyn Fn(&str) -> String) -> Result<Option<usize>> {
        let (mut points, mut seeds) = (Vec::new(), Vec::new());
        for (x, value) in &self.ticks {
            if let Some(measured) = self.records.measured(&row(value))? {
                points.push(PointSpread { x: *x, mean: measured.acc1.0, sd: measured.acc1.1 });
                seeds.push(measured.seeds);
            }
        }
        if points.len() < 2 {
            return Ok(None);
        }
        self.lines.push(PanelLine { label: label.into(), points, seeds: Vec::new() });
        self.seeds.append(&mut seeds);
        Ok(Some(self.lines.len() - 1))
    }

    /// Adds a row that does not depend on the value, where it was run; without a label where its colour is that of a line.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub fn add_level(&mut self, label: &str, row: &str, colour: usize) -> Result<()> {
        if let Some(measured) = self.records.measured(row)? {
            let (mean, sd) = measured.acc1;
            self.levels.push(Level { label: label.into(), mean, sd, colour });
            self.seeds.push(measured.seeds);
        }
        Ok(())
    }

    /// Draws Acc@1 over the value, which the axis calls `name`; `what` ends the note. None without a line.
    ///
    /// # Errors
    /// A figure that cannot be drawn.
    pub fn draw(self, title: &str, name: &str, what: &str) -> Result<Option<String>> {
        let (Some(first), Some(last), false) = (self.ticks.first(), self.ticks.last(), self.lines.is_empty()) else {
            return Ok(None);
        };
        let points = self.lines.iter().flat_map(|line| &line.points).map(|point| (point.mean, point.sd));
        let (low, high) = reach(points.chain(self.levels.iter().map(|level| (level.mean, level.sd))));
        // Differences matter most: the axis begins below the lowest point, at a multiple of 5.
        let low = (low / 5.0).floor().max(0.0) * 5.0;
        let high = ((high / 5.0).ceil() * 5.0).max(low + 5.0); // an axis is never a point
        let range = (first.0 - AIR, last.0 + AIR);
        let panel = Panel {
            title: title.into(),
            note: format!("{} {what}", bars(&self.seeds)),
            x: Axis { name: name.into(), range, ticks: self.ticks },
            y: Axis::new("Acc@1 (%)", (low, high)),
            lines: self.lines,
            levels: self.levels,
            marks: true,
            deviation: Deviation::Bars,
        };
        panel::draw_row((800, 470), &[panel]).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::tests::{check, contents};
    use crate::report::record::tests::{folder, write_run};
    use usvg::roxmltree::Document;

    #[test]
    fn line_has_two_points_or_more_and_levels_follow_its_colour() {
        let place = tempfile::tempdir().unwrap();
        let records = Records { results: place.path(), slug: "p", dataset: "d" };
        let mut sweep = Sweep::new(records, &["0.5", "1", "2"]).unwrap();
        let put = |row: &str, seed| write_run(&folder(place.path(), "d", row, seed), &[1, 1, 2, 2]);
        put("a+x=0.5", 0);
        assert_eq!(sweep.add_line("A", &|x| format!("a+x={x}")).unwrap(), None);
        assert!(sweep.clone().draw("T", "X", "W").unwrap().is_none());
        put("a+x=2", 0);
        put("a+x=2", 1);
        put("base", 0);
        assert_eq!(sweep.add_line("A", &|x| format!("a+x={x}")).unwrap(), Some(0));
        sweep.add_level("Base", "base", 0).unwrap();
        sweep.add_level("Absent", "absent", 1).unwrap();
        assert_eq!((&sweep.seeds[..], sweep.levels.len()), (&[1, 2, 1][..], 1));
        let means: Vec<_> = sweep.lines[0].points.iter().map(|point| (point.x, point.mean)).collect();
        assert_eq!(means, [(0.5_f64.log10(), 50.0), (2_f64.log10(), 50.0)]);
        let svg = sweep.draw("T", "X", "Dashed: base.").unwrap().unwrap();
        check("sweep", &svg);
        let said = contents(&Document::parse(&svg).unwrap()).join(" ");
        assert!(said.contains("2 seeds; points without: one seed. Dashed: base."), "{said}");
    }

    #[test]
    fn value_must_be_a_number_above_0() {
        let records = Records { results: "nowhere".as_ref(), slug: "p", dataset: "d" };
        for value in ["much", "0", "-1", "NaN"] {
            assert!(Sweep::new(records, &[value]).unwrap_err().to_string().contains(value));
        }
    }
}
