//! The verdict, manifests of our own and of others, and the search by likeness against looking at everything.

mod layers;
mod manifests;
mod pdq_index;
