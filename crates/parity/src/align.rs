//! Which entries of two ordered lists answer to each other.

/// Comparisons of entries that one pair of lists is worth; longer lists are paired by position.
const MOST: usize = 1 << 22;

/// Pairs of positions, in order: equal entries with each other, and what stands between two of those in the order it
/// stands. One entry more at the start is one difference, not a difference in every entry.
pub(crate) fn align<T: PartialEq>(a: &[T], b: &[T]) -> Vec<(Option<usize>, Option<usize>)> {
    if a.len().saturating_mul(b.len()) > MOST {
        return (0..a.len().max(b.len())).map(|n| ((n < a.len()).then_some(n), (n < b.len()).then_some(n))).collect();
    }
    // Lengths of the longest common subsequences of the tails.
    let mut longest = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] =
                if a[i] == b[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            between(&mut left, &mut right, &mut pairs);
            pairs.push((Some(i), Some(j)));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            left.push(i);
            i += 1;
        } else {
            right.push(j);
            j += 1;
        }
    }
    left.extend(i..a.len());
    right.extend(j..b.len());
    between(&mut left, &mut right, &mut pairs);
    pairs
}

fn between(left: &mut Vec<usize>, right: &mut Vec<usize>, pairs: &mut Vec<(Option<usize>, Option<usize>)>) {
    let count = left.len().max(right.len());
    pairs.extend((0..count).map(|n| (left.get(n).copied(), right.get(n).copied())));
    left.clear();
    right.clear();
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn one_more_is_one_difference() {
        assert_eq!(align(&[1, 2], &[0, 1, 2]), [(None, Some(0)), (Some(0), Some(1)), (Some(1), Some(2))]);
        assert_eq!(align(&[1, 5, 2], &[1, 6, 2]), [(Some(0), Some(0)), (Some(1), Some(1)), (Some(2), Some(2))]);
        assert_eq!(align::<u8>(&[], &[]), []);
        let long = vec![0; 5000];
        assert_eq!(align(&long, &long[1..]).last(), Some(&(Some(4999), None)), "by position");
    }
}
