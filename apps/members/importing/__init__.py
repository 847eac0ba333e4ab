"""Bringing members in from another system's file: laid out, mapped, checked whole, decided on, taken in, taken back.

    layout → mapping → staging (cleaning) → checking → deciding → taking → (taking back)

Points and what else rooms above bring in with members they contribute as `parts.Part`.
"""
