"""The selection of routes by policies, and the reasons why a policy selects none."""
