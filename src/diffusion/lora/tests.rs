//! Files that are refused, and sums.
