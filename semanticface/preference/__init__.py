"""Which of two faces is the better answer: pairs, people, verdicts, and what follows."""
