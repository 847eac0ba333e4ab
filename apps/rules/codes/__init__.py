"""Codes on receipts and bottle caps: made in batches, drawn with stated odds from a recorded seed, redeemed once.

    spelling   pure: how a code is written and read
    drawing    pure: which prize a use of a code draws
    keys       what codes are made and found with; the codes themselves are kept nowhere
    claiming   on the main road: the code that an event redeems is found, locked and used up
    services   what staff do with batches

A code follows from the installation's key, the batch's seed and the code's number, so that the file of codes can be made
again; the tables hold keyed hashes, by which a code is found and from which none can be read. A number whose code was
taken already, in whatever batch, is left out.
"""
