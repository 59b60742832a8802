//! Runs that stand side by side: seeds of a row, and rows that are compared.

use super::Run;
use crate::file::first_difference;
use crate::run::Rank;
use crate::{Error, Result};
use serde_json::{Value, json};

/// Ranks other than first from which two trainings that agree on all of them count as one: fewer can agree by chance in
/// a tiny corpus. No two seeds of a recorded row agree on all.
const TOO_MANY: usize = 20;

/// Seeds of one row, by rising seed.
pub(super) fn check_row(runs: &[Run]) -> Result<()> {
    for pair in runs.windows(2) {
        check_same_queries(&pair[0], &pair[1])?;
        check_same_basis(&pair[0], &pair[1])?;
    }
    for (i, run) in runs.iter().enumerate() {
        runs[..i].iter().try_for_each(|earlier| check_no_copy(earlier, run))?;
    }
    Ok(())
}

/// Runs that are averaged differ in their seed alone: one configuration, one set of data, the same pre-trained weights.
fn check_same_basis(a: &Run, b: &Run) -> Result<()> {
    match basis(a).into_iter().zip(basis(b)).find(|(one, other)| one.1 != other.1) {
        None => Ok(()),
        Some(((name, wanted), (_, found))) => {
            let (field, wanted, found) = first_difference(name, &wanted, &found);
            let place = a.folder.0.display();
            let expected = format!("the {name} of {place}, since both are seeds of one row ({field}: {wanted})");
            Err(Error::data(&b.folder.0, expected, format!("{field}: {found}")))
        }
    }
}

/// Settings, data and weights of a run, by name.
fn basis(run: &Run) -> [(&'static str, Value); 4] {
    let header = &run.origin.header;
    [
        ("settings", run.origin.settings.clone()),
        ("data", json!(header.data_version)),
        ("counts of photos and sketches", json!(header.counts)),
        ("pre-trained weights", json!(header.weights)),
    ]
}

/// Two trainings end in different ranks; few ranks can agree by chance, or where nothing depends on the seed.
fn check_no_copy(a: &Run, b: &Run) -> Result<()> {
    let is_trained = a.summary.selected_epoch.is_some() && b.summary.selected_epoch.is_some();
    let many = || a.ranks.iter().filter(|rank| rank.rank > 1).count() >= TOO_MANY;
    if is_trained && a.ranks == b.ranks && many() {
        let expected = format!("other ranks than those of {}, which has another seed", a.folder.0.display());
        return Err(Error::data(b.folder.0.join("ranks.csv"), expected, "the same"));
    }
    Ok(())
}

/// Two runs can be compared only on the same queries and photos.
///
/// # Errors
/// Other queries, or other photos of them; both folders are named.
pub fn check_same_queries(a: &Run, b: &Run) -> Result<()> {
    let key = |run: &Run| run.ranks.iter().map(|rank| (rank.query, rank.photo)).collect::<Vec<_>>();
    let (left, right) = (key(a), key(b));
    if left == right && a.summary.gallery == b.summary.gallery {
        return Ok(());
    }
    let describe = |run: &Run| format!("{} queries x {} photos", run.ranks.len(), run.summary.gallery);
    let (left, right) = (describe(a), describe(b));
    let differs = |(one, other): (&Rank, &Rank)| (one.query, one.photo) != (other.query, other.photo);
    let at = a.ranks.iter().zip(&b.ranks).position(|(one, other)| differs((one, other)));
    let of = |run: &Run, at: usize| {
        format!(": entry {at} is query {} of photo {}", run.ranks[at].query, run.ranks[at].photo)
    };
    let [left, right] = match at {
        Some(at) => [left + &of(a, at), right + &of(b, at)],
        None => [left, right],
    };
    Err(Error::data(&b.folder.0, format!("the queries of {} ({left})", a.folder.0.display()), right))
}
