//! The access token of the Hub.

use std::fmt;

/// A token of the Hub. It prints as `hidden`, and [`Token::hide`] takes it out of whatever is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token, without white space around it; none if nothing is left.
    ///
    /// ```
    /// use retrace::hub::Token;
    /// let token = Token::new(" hf_secret\n").unwrap();
    /// assert_eq!(format!("{token:?}"), "Token(hidden)");
    /// assert_eq!(token.hide("Bearer hf_secret"), "Bearer <token>");
    /// assert!(Token::new(" ").is_none());
    /// ```
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_string()))
    }

    /// The token that Python's client would use: `HF_TOKEN`, the file `HF_TOKEN_PATH`, the file `token` of `HF_HOME`;
    /// none of them where `HF_HUB_DISABLE_IMPLICIT_TOKEN` is set.
    pub(super) fn find(variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        if variable("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_some() {
            return None;
        }
        let read = |path: String| std::fs::read_to_string(path).ok().and_then(|text| Self::new(&text));
        let home = variable("HF_HOME")
            .or_else(|| variable("XDG_CACHE_HOME").map(|cache| format!("{cache}/huggingface")))
            .or_else(|| variable("HOME").map(|home| format!("{home}/.cache/huggingface")));
        variable("HF_TOKEN")
            .and_then(|token| Self::new(&token))
            .or_else(|| variable("HF_TOKEN_PATH").and_then(read))
            .or_else(|| home.and_then(|home| read(format!("{home}/token"))))
    }

    /// The token itself, for a request.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// A text without the token.
    pub fn hide(&self, text: &str) -> String {
        text.replace(&self.0, "<token>")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn find(variables: &[(&str, &str)]) -> Option<String> {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        Token::find(&|name| variables.get(name).map(|value| value.to_string())).map(|token| token.0)
    }

    #[test]
    fn find_looks_in_the_usual_places_in_order() {
        let place = tempfile::tempdir().unwrap();
        let (home, file) = (place.path().to_str().unwrap(), place.path().join("other"));
        std::fs::write(place.path().join("token"), "from_home\n").unwrap();
        std::fs::write(&file, "from_path").unwrap();
        let (home, path) = (("HF_HOME", home), ("HF_TOKEN_PATH", file.to_str().unwrap()));
        let token = ("HF_TOKEN", " from_variable ");
        assert_eq!(find(&[home, path, token]).as_deref(), Some("from_variable"));
        assert_eq!(find(&[home, path]).as_deref(), Some("from_path"));
        assert_eq!(find(&[home]).as_deref(), Some("from_home"));
        assert_eq!(find(&[home, path, token, ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), None);
        assert_eq!(find(&[("HF_TOKEN_PATH", "/nowhere"), ("HF_HOME", "/nowhere")]), None);
    }
}
