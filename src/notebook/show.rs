use crate::Result;
use crate::report::claim::Finding;
use crate::report::figure::gallery::{self, GalleryFigure};
use crate::report::html::{self, escape};
use crate::report::table::Table;
use crate::sketch::{Sketch, svg};
use base64::Engine;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, GrayImage, RgbImage};
use polars::prelude::DataFrame;

/// Least size of a shown picture: a network's input would be too small to see.
const SMALLEST: u32 = 192; // pixels

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html(pub String);

/// A figure as the library draws it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg(pub String);

/// What a notebook shows where a cell ends in such a value.
pub trait Show {
    /// The value as a part of a page.
    ///
    /// # Errors
    /// A picture that cannot be encoded.
    fn html(&self) -> Result<Html>;

    /// Hands the page to the kernel, which calls this by its name.
    #[allow(clippy::print_stdout, clippy::print_stderr)] // the kernel listens there
    fn evcxr_display(&self) {
        match self.html() {
            Ok(Html(text)) => println!("EVCXR_BEGIN_CONTENT text/html\n{text}\nEVCXR_END_CONTENT"),
            Err(error) => eprintln!("error: {error}"),
        }
    }
}

impl Show for Html {
    fn html(&self) -> Result<Html> {
        Ok(self.clone())
    }
}

/// As an image: the letters of one figure's font stay apart from another's.
impl Show for Svg {
    fn html(&self) -> Result<Html> {
        Ok(image("svg+xml", self.0.as_bytes(), "max-width: 100%"))
    }
}

impl Show for Sketch {
    fn html(&self) -> Result<Html> {
        let style = format!("width: {SMALLEST}px; border: 1px solid #ddd; background: white");
        Ok(image("svg+xml", svg::format(self).as_bytes(), &style))
    }
}

impl Show for RgbImage {
    fn html(&self) -> Result<Html> {
        let mut bytes = Vec::new();
        self.write_with_encoder(PngEncoder::new(&mut bytes))
            .map_err(|error| crate::Error::Figure(error.to_string()))?;
        let style = if self.width() < SMALLEST {
            format!("width: {SMALLEST}px; image-rendering: pixelated")
        } else {
            "max-width: 100%".into()
        };
        Ok(image("png", &bytes, &style))
    }
}

impl Show for GrayImage {
    fn html(&self) -> Result<Html> {
        DynamicImage::ImageLuma8(self.clone()).to_rgb8().html()
    }
}

impl Show for GalleryFigure {
    fn html(&self) -> Result<Html> {
        Svg(gallery::draw(self)?).html()
    }
}

impl Show for Table {
    fn html(&self) -> Result<Html> {
        Ok(Html(html::table(self)))
    }
}

impl Show for Vec<Finding> {
    fn html(&self) -> Result<Html> {
        Ok(Html(html::findings(self)))
    }
}

impl Show for DataFrame {
    fn html(&self) -> Result<Html> {
        Ok(Html(html::frame(self)?))
    }
}

/// Nothing, where there is nothing to show.
impl<T: Show> Show for Option<T> {
    fn html(&self) -> Result<Html> {
        self.as_ref().map_or_else(|| Ok(Html("<p>no record</p>\n".into())), Show::html)
    }
}

/// Values side by side, each below its caption.
///
/// ```
/// use retrace::notebook::{Html, strip};
/// let page = strip(&[("a < b", &Html("left".into())), ("c", &Html("right".into()))])?;
/// assert!(page.0.contains("a &lt; b") && page.0.contains("right"));
/// # Ok::<(), retrace::Error>(())
/// ```
///
/// # Errors
/// As [`Show::html`].
pub fn strip(parts: &[(&str, &dyn Show)]) -> Result<Html> {
    side_by_side(parts.iter().map(|(caption, value)| (*caption, *value)))
}

/// Values of one kind side by side, as [`strip()`]: the pictures of a sequence.
///
/// # Errors
/// As [`Show::html`].
pub fn film<T: Show>(parts: &[(String, T)]) -> Result<Html> {
    side_by_side(parts.iter().map(|(caption, value)| (caption.as_str(), value as &dyn Show)))
}

fn side_by_side<'a>(parts: impl Iterator<Item = (&'a str, &'a dyn Show)>) -> Result<Html> {
    let part = |(caption, value): (&str, &dyn Show)| -> Result<String> {
        let caption = escape(caption);
        Ok(format!("<div style=\"text-align: center\"><small>{caption}</small><br/>{}</div>\n", value.html()?.0))
    };
    let parts = parts.map(part).collect::<Result<String>>()?;
    Ok(Html(format!("<div style=\"display: flex; flex-wrap: wrap; gap: 12px\">\n{parts}</div>\n")))
}

fn image(kind: &str, bytes: &[u8], style: &str) -> Html {
    let data = base64::engine::general_purpose::STANDARD.encode(bytes);
    Html(format!("<img style=\"{style}\" src=\"data:image/{kind};base64,{data}\"/>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::Point;
    use image::Rgb;

    #[test]
    fn pictures_are_shown_large_enough_and_whole() {
        let html = |side| RgbImage::from_pixel(side, side, Rgb([1, 2, 3])).html().unwrap().0;
        assert!(html(64).contains("width: 192px; image-rendering: pixelated"));
        assert!(html(300).contains("max-width: 100%") && html(300).contains("data:image/png;base64,iVBOR"));
        let sketch = Sketch { strokes: vec![vec![Point::new(0.0, 0.0), Point::new(9.0, 9.0)]] };
        let text = sketch.html().unwrap().0;
        let data = text.split("base64,").nth(1).unwrap().split('"').next().unwrap();
        let drawn = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
        assert_eq!(String::from_utf8(drawn).unwrap(), svg::format(&sketch));
    }

    #[test]
    fn show_of_none_says_no_record() {
        assert!(None::<Svg>.html().unwrap().0.contains("no record"));
        assert_eq!(Some(Html("x".into())).html().unwrap().0, "x");
    }
}
