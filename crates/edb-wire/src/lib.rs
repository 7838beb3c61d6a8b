//! Reads and writes the forms of the EDB service: file names, CSV answers, dictionary and EngdbLocal JSON.
