-- What each key was given last by chance, so that it is not given the same again.
CREATE TABLE last_draws (
    key_id INTEGER PRIMARY KEY,
    text   TEXT    NOT NULL
) STRICT;
