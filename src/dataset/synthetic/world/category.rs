//! A category: read from a file, checked, and turned into figures.

use super::super::figure::Material;
use super::super::palette::{self, Texture};
use super::file::{CategoryFile, CategoryKind, PartFile};
use super::number::{Misfit, Slots, misfit};
use super::part::Part;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// A category of objects.
#[derive(Debug, Clone)]
pub struct Category {
    /// Its name: the file's.
    pub name: String,
    /// The words that name it.
    pub words: Vec<String>,
    /// What kind of thing it is.
    pub kind: CategoryKind,
    /// Held out: none of its photos is trained on.
    pub unseen: bool,
    pub(super) flips: bool,
    /// How many values each option has.
    pub(super) options: Vec<usize>,
    /// Colours, by position in the palette, of the materials that have a list.
    pub(super) colours: BTreeMap<Material, Vec<usize>>,
    pub(super) patterns: Vec<Texture>,
    pub(super) parts: Vec<Part>,
    pub(super) slots: usize,
}

impl Category {
    /// Reads a category.
    ///
    /// # Errors
    /// Text that is no TOML, an unknown key, a measure, part, option or colour that is not there, an empty range, parts
    /// that hang on each other in a circle: with `path` and line.
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let file: CategoryFile = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            at(path, text, &span, misfit("a category as docs/world.md describes it", error.message()))
        })?;
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml").to_string();
        Reader { path, text, file: &file }.category(name)
    }
}

/// The error at a place of a file.
fn at(path: &str, text: &str, span: &Range<usize>, misfit: Misfit) -> Error {
    let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
    Error::data(format!("{path}:{line}"), misfit.expected, misfit.found)
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    file: &'a CategoryFile,
}

impl Reader<'_> {
    fn fault<T>(&self, place: &Spanned<T>) -> impl FnOnce(Misfit) -> Error {
        let (path, text, span) = (self.path.to_string(), self.text.to_string(), place.span());
        move |misfit| at(&path, &text, &span, misfit)
    }

    fn category(&self, name: String) -> Result<Category> {
        let file = self.file;
        if file.words.get_ref().is_empty() {
            return Err(self.fault(&file.words)(misfit("at least one word", "none")));
        }
        let mut slots = Slots::default();
        for (name, number) in &file.measure {
            slots.name(name, number.get_ref()).map_err(self.fault(number))?;
        }
        let parts = self.parts(&mut slots)?;
        Ok(Category {
            name,
            words: file.words.get_ref().clone(),
            kind: file.kind,
            unseen: file.unseen,
            flips: file.flips,
            options: file.option.values().map(|values| values.get_ref().len().max(1)).collect(),
            colours: self.colours()?,
            patterns: file.pattern.clone(),
            parts,
            slots: slots.total(),
        })
    }

    fn parts(&self, slots: &mut Slots) -> Result<Vec<Part>> {
        let mut parts = Vec::with_capacity(self.file.part.len());
        for spanned in &self.file.part {
            let file = spanned.get_ref();
            let mut part = Part::new(file, slots).map_err(self.fault(spanned))?;
            part.parent = self.parent(file).map_err(self.fault(spanned))?;
            part.when = file
                .when
                .iter()
                .map(|value| self.value(value))
                .collect::<Result<_, _>>()
                .map_err(self.fault(spanned))?;
            if part.cut && part.parent.is_none() {
                return Err(self.fault(spanned)(misfit("`on` for a part that is `cut` out", "none")));
            }
            parts.push(part);
        }
        match (0..parts.len()).find(|part| is_circle(&parts, *part)) {
            Some(part) => {
                let found = format!("`{}` on itself", self.file.part[part].get_ref().name);
                Err(self.fault(&self.file.part[part])(misfit("parts that hang on each other without a circle", found)))
            }
            None => Ok(parts),
        }
    }

    fn parent(&self, part: &PartFile) -> Result<Option<usize>, Misfit> {
        let named = |name: &str| self.file.part.iter().filter(move |other| other.get_ref().name == name).count();
        if named(&part.name) > 1 {
            return Err(misfit("parts of different names", format!("two called `{}`", part.name)));
        }
        let Some(on) = &part.on else { return Ok(None) };
        let found = self.file.part.iter().position(|other| other.get_ref().name == *on);
        found.map(Some).ok_or_else(|| misfit("`on` with the name of a part", format!("`{on}`")))
    }

    /// Option and value of a word of `when`.
    fn value(&self, word: &str) -> Result<[usize; 2], Misfit> {
        let options = || self.file.option.values().map(|values| values.get_ref());
        let found = options()
            .enumerate()
            .find_map(|(option, values)| values.iter().position(|value| value == word).map(|value| [option, value]));
        let known = || options().flatten().cloned().collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| misfit(format!("`when` with a value of an option [{}]", known()), format!("`{word}`")))
    }

    fn colours(&self) -> Result<BTreeMap<Material, Vec<usize>>> {
        let mut colours = BTreeMap::new();
        for (material, names) in &self.file.colour {
            let found: Result<Vec<usize>, Misfit> = names.get_ref().iter().map(|name| colour(name)).collect();
            colours.insert(*material, found.map_err(self.fault(names))?);
        }
        Ok(colours)
    }
}

fn colour(name: &str) -> Result<usize, Misfit> {
    let known = || palette::WORLD_COLOURS.map(|(name, _)| name).join(", ");
    let found = palette::WORLD_COLOURS.iter().position(|(other, _)| *other == name);
    found.ok_or_else(|| misfit(format!("a colour of {}", known()), format!("`{name}`")))
}

/// Whether a part hangs on itself.
fn is_circle(parts: &[Part], start: usize) -> bool {
    let mut next = parts[start].parent;
    for _ in 0..parts.len() {
        match next {
            Some(part) if part == start => return true,
            Some(part) => next = parts[part].parent,
            None => return false,
        }
    }
    false
}
