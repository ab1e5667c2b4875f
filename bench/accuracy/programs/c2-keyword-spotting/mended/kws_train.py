import torch
import torch.nn.functional as F
import torchaudio
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader

from kws_data import SpeechCommands
from kws_model import KeywordNet

WORDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
EPOCHS = 30


def main():
    torch.manual_seed(99)
    dev = "cuda" if torch.cuda.is_available() else "cpu"
    noise = torchaudio.load("_background_noise_/running_tap.wav")[0][0]
    train_dl = DataLoader(SpeechCommands("train", WORDS, noise), 64, shuffle=True, num_workers=4)
    val_dl = DataLoader(SpeechCommands("val", WORDS), 64, num_workers=4)

    net = KeywordNet(len(WORDS)).to(dev)
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    cosine = CosineAnnealingLR(opt, T_max=EPOCHS * len(train_dl))

    for epoch in range(EPOCHS):
        net.train()
        for mfcc, word in train_dl:
            loss = F.cross_entropy(net(mfcc.to(dev)), word.to(dev))
            opt.zero_grad()
            loss.backward()
            opt.step()
            cosine.step()

        net.eval()
        right = 0
        with torch.no_grad():
            for mfcc, word in val_dl:
                right += (net(mfcc.to(dev)).argmax(1).cpu() == word).sum().item()
        print(epoch, f"{loss.item():.3f}", right / len(val_dl.dataset))

    torch.save(net.state_dict(), "kws.pt")


if __name__ == "__main__":
    main()
