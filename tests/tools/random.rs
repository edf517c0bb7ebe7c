//! The same for the same seed: numbers, words, and texts with a mistake in them.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below another one: xorshift64*.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % end
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len())]
    }

    /// The same text with one thing taken away, doubled, put in or changed places.
    pub(crate) fn mutated(&mut self, text: String, signs: &[&str]) -> String {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        if places.is_empty() {
            return text;
        }
        let at = places[self.below(places.len())];
        let (before, after) = text.split_at(at);
        let mut rest = after.chars();
        let next: String = rest.next().into_iter().collect();
        let mut words: Vec<&str> = text.split(' ').collect();
        let (one, other) = (self.below(words.len()), self.below(words.len()));
        match self.below(6) {
            0 => format!("{before}{}", rest.as_str()),
            1 => format!("{before}{next}{after}"),
            2 => {
                words.remove(one);
                words.join(" ")
            }
            3 => {
                words.swap(one, other);
                words.join(" ")
            }
            _ => format!("{before}{}{after}", self.one(signs)),
        }
    }
}
