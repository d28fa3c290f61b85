-- Holds nothing: who writes locks it, shared, or alone after another transaction was in the way.
CREATE TABLE turns ();
