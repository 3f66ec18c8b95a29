"""What makes single nodes a cluster, as Contiv-VPP does: pure logic that knows no backend and no store."""
