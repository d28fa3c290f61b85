//! The classes of the recogniser: class 0 is CTC's blank, class `i` the character `i - 1` of [`CHARACTERS`].
//!
//! Printable ASCII, the signs of prices and measures, and the letters of European names: Latin-1 (Irish, French, German,
//! Nordic, Iberian), Polish, Czech, Slovak, South Slavic, Hungarian and Turkish, for beers and wines come from there.
//! Typographic dashes and quotation marks are left out on purpose: they are read as their ASCII forms.

use std::collections::HashMap;
use std::sync::LazyLock;

/// CTC's blank.
pub const BLANK: usize = 0;

/// The characters of classes 1, 2, ... The order is part of the weights: append only.
pub const CHARACTERS: &str = concat!(
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
    "€£§°²³½©®",
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŒœ",
    "ĄąĆćĘęŁłŃńŚśŹźŻż",
    "ČčĎďĐđĚěŇňŘřŠšŤťŮůŽž",
    "ŐőŰűĞğİıŞş",
);

static CHARACTER_OF_CLASS: LazyLock<Vec<char>> = LazyLock::new(|| CHARACTERS.chars().collect());
static CLASS_OF_CHARACTER: LazyLock<HashMap<char, usize>> = LazyLock::new(|| CHARACTERS.chars().zip(BLANK + 1..).collect());

/// How many classes there are, the blank included.
pub fn classes() -> usize {
    CHARACTER_OF_CLASS.len() + 1
}

/// The character of a class; `None` for the blank and beyond the last class.
pub fn character(class: usize) -> Option<char> {
    CHARACTER_OF_CLASS.get(class.checked_sub(BLANK + 1)?).copied()
}

/// The class of a character; `None` if the recogniser can't write it.
pub fn class(character: char) -> Option<usize> {
    CLASS_OF_CHARACTER.get(&character).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_characters_are_one_to_one() {
        assert_eq!(CLASS_OF_CHARACTER.len(), CHARACTER_OF_CLASS.len(), "a character is listed twice");
        for c in 1..classes() {
            assert_eq!(character(c).and_then(class), Some(c));
        }
    }

    #[test]
    fn the_blank_and_what_lies_beyond_have_no_character() {
        assert_eq!(character(BLANK), None);
        assert_eq!(character(classes()), None);
        assert_eq!(class('–'), None);
    }

    #[test]
    fn all_of_printable_ascii_can_be_written() {
        assert!((' '..='~').all(|c| class(c).is_some()));
    }
}
