"""Agents: trained on episodes of their own, measured against the exact optimum where there is one."""
