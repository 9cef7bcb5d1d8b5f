//! What somebody probably meant: the candidate with the fewest edits.

/// The candidate nearest to `text`; empty when there are none.
pub(super) fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> &'a str {
    candidates
        .min_by_key(|candidate| edits(text, candidate))
        .unwrap_or_default()
}

/// How many insertions, deletions and substitutions turn one text into the other (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, b) in other.iter().enumerate() {
            let here = (diagonal + usize::from(a != *b))
                .min(left + 1)
                .min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j] = left;
            left = here;
        }
        row[other.len()] = left;
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::edits;

    #[test]
    fn edits_are_counted_as_everybody_counts_them() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("same", "same"), 0);
    }
}
