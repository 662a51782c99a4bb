//! What is meant: parsing and composition of prompts.
