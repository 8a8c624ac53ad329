"""From preferences to a better model: DPO by TRL, the judged region's tokens alone or all."""
