//! The verdict, and the search by likeness against looking at everything.

mod layers;
mod pdq_index;
