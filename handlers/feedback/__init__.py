"""Every reporter is told every outcome once; a case closes when all are."""
