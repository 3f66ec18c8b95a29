"""The parts of the scheduler: what is wanted, what is there, plans and how they are carried out, history, reasons."""
