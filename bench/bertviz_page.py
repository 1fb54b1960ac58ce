"""Makes BertViz's page of heads from attention weights as Bertha prints them:

    bertha visualize attention MODEL --text TEXT --json | python bench/bertviz_page.py > heads.html
"""

import json
import sys

import torch
from bertviz import head_view

read = json.load(sys.stdin)
attention = [torch.tensor(layer)[None] for layer in read["attentions"]]
print(head_view(attention=attention, tokens=read["tokens"], html_action="return").data)
